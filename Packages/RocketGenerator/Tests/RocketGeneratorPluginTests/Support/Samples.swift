@testable import RocketGeneratorPlugin

/// Models for the pieces' tests.
enum Samples {
    static let makeOrder = MethodModel(
        name: "makeOrder", swiftName: "makeOrder", request: "Want", response: "Bill",
        comment: ["Makes one order."])

    static func service(_ methods: MethodModel...) -> ServiceModel {
        ServiceModel(
            fullName: "shop.Order", protocolName: "OrderService",
            synchronousName: "SynchronousOrderService", methodsName: "OrderMethods",
            clientName: "OrderClient", comment: ["Sells."], methods: methods)
    }

    /// Nothing of the module hides a name.
    static let names = RuntimeNames(scope: ModuleScope())

    /// Everything is hidden.
    static let hiddenNames = RuntimeNames(
        scope: ModuleScope(
            owners: Dictionary(
                uniqueKeysWithValues: [
                    "RPCService", "RPCServiceRegistry", "RPCController", "RPCMethod", "RPCChannel",
                    "RPCMetadata", "RPCCallOptions", "RPCError", "_RPCFileDescriptors", "Duration",
                ].map { ($0, "message") })))
}
