/// The field of trailers that has the number of a `RPCErrorCode` where the status of gRPC does not say
/// it: codes of applications, and those of the framework for which gRPC has one code together.
enum ExactCode {
    static let field: StaticString = "rocket-code"
    static let name = "rocket-code"
}
