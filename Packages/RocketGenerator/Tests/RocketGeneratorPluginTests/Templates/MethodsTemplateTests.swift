import Testing

@testable import RocketGeneratorPlugin

@Suite("Template of the method constants")
struct MethodsTemplateTests {
    private func template(_ service: ServiceModel, names: RuntimeNames = Samples.names)
        -> MethodsTemplate
    {
        MethodsTemplate(service: service, level: .public, names: names)
    }

    @Test("Have the names on the wire and the message types")
    func haveNamesAndTypes() {
        #expect(
            template(Samples.service(Samples.makeOrder)).lines == [
                "/// The methods of `shop.Order`: names and message types.",
                "public nonisolated enum OrderMethods {",
                "    /// `shop.Order.makeOrder`",
                "    public static let makeOrder = RPCMethod<Want, Bill>(",
                "        service: \"shop.Order\", name: \"makeOrder\",",
                "        request: .init(",
                "            decode: { try $0.decodeMessage(decoder: &$1) },",
                "            encode: { try $0.traverse(visitor: &$1) }),",
                "        response: .init(",
                "            decode: { try $0.decodeMessage(decoder: &$1) },",
                "            encode: { try $0.traverse(visitor: &$1) }))",
                "}",
            ])
    }

    @Test("Store a refusal in a response that has the fields")
    func storeRefusals() {
        var method = Samples.makeOrder
        method.businessFields = BusinessFields(code: "retCode", info: "resInfo")
        #expect(
            template(Samples.service(method)).constant(method).suffix(4) == [
                "    response: .init(",
                "        decode: { try $0.decodeMessage(decoder: &$1) },",
                "        encode: { try $0.traverse(visitor: &$1) },",
                "        setError: { $0.retCode = $1.code; $0.resInfo = $1.info }))",
            ])
    }

    @Test("Keep the spelling of the .proto file beside that of Swift")
    func keepTheSpelling() {
        var method = Samples.makeOrder
        (method.name, method.swiftName) = ("Import", "`import`")
        #expect(
            template(Samples.service(method)).constant(method)[1...2] == [
                "public static let `import` = RPCMethod<Want, Bill>(",
                "    service: \"shop.Order\", name: \"Import\",",
            ])
    }

    @Test("Break long types over lines")
    func breakLongTypes() {
        var method = Samples.makeOrder
        method.request = String(repeating: "Q", count: 60)
        #expect(
            template(Samples.service(method), names: Samples.hiddenNames).constant(method)[...4]
                == [
                    "/// `shop.Order.makeOrder`",
                    "public static let makeOrder = RocketRPC.RPCMethod<",
                    "    \(method.request), Bill",
                    ">(",
                    "    service: \"shop.Order\", name: \"makeOrder\",",
                ])
    }
}
