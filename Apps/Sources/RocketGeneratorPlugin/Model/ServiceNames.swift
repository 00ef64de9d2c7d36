/// The three Swift names that a service gets.
struct ServiceNames: Equatable {
    let protocolName: String
    let methodsName: String
    let clientName: String

    /// `Order` gives `OrderService`, `OrderMethods` and `OrderClient`. A name that ends in
    /// "Service" already is not given the word twice: `QueryService`, `QueryServiceMethods`,
    /// `QueryServiceClient`.
    ///
    /// - Parameter prefix: what swift-protobuf puts before the file's messages: `Shop_V1_`.
    init(service name: String, prefix: String) {
        let stem = prefix + SwiftName.upperCamel(name)
        protocolName = stem.hasSuffix("Service") ? stem : "\(stem)Service"
        methodsName = "\(stem)Methods"
        clientName = "\(stem)Client"
    }

    /// All three, in the order in which they are written.
    var all: [String] { [protocolName, methodsName, clientName] }
}
