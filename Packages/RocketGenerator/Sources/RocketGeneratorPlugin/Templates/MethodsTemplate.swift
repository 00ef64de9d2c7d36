/// The descriptors that join a service's server and client.
struct MethodsTemplate {
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
        let head = "\(level.modifier)static let \(method.swiftName) = \(names.method)"
        let types = [method.request, method.response]
        let oneLine = "\(head)<\(types.joined(separator: ", "))>("
        let opening =
            Layout.fits(oneLine, depth: 1)
            ? [oneLine] : ["\(head)<"] + Layout.items(types, depth: 2).indented + [">("]
        let arguments =
            Layout.items(
                ["service: \"\(service.fullName)\"", "name: \"\(method.name)\""], depth: 2,
                end: ",")
            + coding("request", end: ",") + coding("response", end: ")")
        return ["/// `\(service.fullName).\(method.name)`"] + opening + arguments.indented
    }

    /// How a message becomes bytes and comes back. Written out here, where the compiler sees its
    /// fields, so that it makes code for this message alone.
    private func coding(_ label: String, end: String) -> Lines {
        [
            "\(label): .init(",
            "    decode: { try $0.decodeMessage(decoder: &$1) },",
            "    encode: { try $0.traverse(visitor: &$1) })\(end)",
        ]
    }
}
