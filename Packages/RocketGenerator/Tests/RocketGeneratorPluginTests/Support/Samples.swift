@testable import RocketGeneratorPlugin

/// Models for tests of templates.
enum Samples {
    static let makeOrder = MethodModel(
        name: "makeOrder", swiftName: "makeOrder", request: "Want", response: "Bill",
        comment: ["Makes one order."])

    static let watch = MethodModel(
        name: "watch", swiftName: "watch", kind: .serverStreaming, request: "Want",
        response: "Bill")

    static let collect = MethodModel(
        name: "collect", swiftName: "collect", kind: .clientStreaming, request: "Want",
        response: "Bill")

    static let chat = MethodModel(
        name: "chat", swiftName: "chat", kind: .bidirectionalStreaming, request: "Want",
        response: "Bill")

    static func service(_ methods: MethodModel...) -> ServiceModel {
        ServiceModel(
            fullName: "shop.Order", protocolName: "OrderService",
            synchronousName: "SynchronousOrderService", methodsName: "OrderMethods",
            clientName: "OrderClient", comment: ["Sells."], methods: methods)
    }

    /// Names in a module that hides none of them.
    static let names = RuntimeNames(scope: ModuleScope())

    /// Names in a module that hides all of them.
    static let hiddenNames = RuntimeNames(
        scope: ModuleScope(
            owners: Dictionary(
                uniqueKeysWithValues: [
                    "RPCService", "RPCServiceRegistry", "RPCController", "RPCMethod", "RPCChannel",
                    "RPCMetadata", "RPCCallOptions", "RPCError", "RPCMessageStream", "RPCWriter",
                    "RPCStreamCall", "_RPCFileDescriptors", "Duration",
                ].map { ($0, "message") })))
}
