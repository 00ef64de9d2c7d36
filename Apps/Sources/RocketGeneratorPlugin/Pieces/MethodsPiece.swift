/// The descriptors that join a service's server and client.
struct MethodsPiece {
    let service: ServiceModel
    let level: AccessLevel
    let names: RuntimeNames

    /// An enum with no cases that holds one constant for each method.
    var lines: Lines {
        ["/// The methods of `\(service.fullName)`: their names and their messages."]
            + ["\(level.modifier)nonisolated enum \(service.methodsName) {"]
            + Lines.joined(service.methods.map(constant)).indented + ["}"]
    }

    /// One method's constant.
    func constant(_ method: MethodModel) -> Lines {
        let type = "\(names.method)<\(method.request), \(method.response)>"
        return ["/// `\(service.fullName).\(method.name)`"]
            + Layout.list(
                "\(level.modifier)static let \(method.swiftName) = \(type)",
                ["service: \"\(service.fullName)\"", "name: \"\(method.name)\""], depth: 1,
                closingOnOwnLine: false)
    }
}
