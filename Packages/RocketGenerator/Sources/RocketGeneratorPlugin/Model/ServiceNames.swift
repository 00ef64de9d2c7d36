/// The four Swift names that a service gets.
struct ServiceNames: Equatable {
    let protocolName: String
    let synchronousName: String
    let methodsName: String
    let clientName: String

    /// `Order` gives `OrderService`, `SynchronousOrderService`, `OrderMethods` and
    /// `OrderClient`. A name that ends in
    /// "Service" already is not given the word twice: `QueryService`, `QueryServiceMethods`,
    /// `QueryServiceClient`.
    ///
    /// - Parameter prefix: what swift-protobuf puts before the file's messages: `Shop_V1_`.
    init(service name: String, prefix: String) {
        let stem = prefix + SwiftName.upperCamel(name)
        protocolName = stem.hasSuffix("Service") ? stem : "\(stem)Service"
        synchronousName = "\(prefix)Synchronous\(protocolName.dropFirst(prefix.count))"
        methodsName = "\(stem)Methods"
        clientName = "\(stem)Client"
    }

    /// All of them, in the order in which they are written.
    var all: [String] { [protocolName, synchronousName, methodsName, clientName] }
}
