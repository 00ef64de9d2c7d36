/// Writes the method constants that a service's server and client share.
struct MethodsTemplate {
    let service: ServiceModel
    let level: AccessLevel
    let names: RuntimeNames

    /// An enum without cases that has one constant for each method.
    var lines: Lines {
        ["/// The methods of `\(service.fullName)`: names and message types."]
            + ["\(level.modifier)nonisolated enum \(service.methodsName) {"]
            + Lines.joined(service.methods.map(constant)).indented + ["}"]
    }

    /// Returns the constant of one method.
    func constant(_ method: MethodModel) -> Lines {
        let head = "\(level.modifier)static let \(method.swiftName) = \(names.method)"
        let types = [method.request, method.response]
        let oneLine = "\(head)<\(types.joined(separator: ", "))>("
        let opening =
            Layout.fits(oneLine, depth: 1)
            ? [oneLine] : ["\(head)<"] + Layout.items(types, depth: 2).indented + [">("]
        let kind = method.kind == .unary ? [] : ["kind: .\(method.kind.rawValue)"]
        let arguments =
            Layout.items(
                ["service: \"\(service.fullName)\"", "name: \"\(method.name)\""] + kind, depth: 2,
                end: ",")
            + coding("request", end: ",")
            + coding("response", businessFields: method.businessFields, end: ")")
        return ["/// `\(service.fullName).\(method.name)`"] + opening + arguments.indented
    }

    /// Returns the coding of a message. The closures are in the generated file because only there
    /// can the compiler see the message's fields and specialise the calls.
    private func coding(_ label: String, businessFields: BusinessFields? = nil, end: String)
        -> Lines
    {
        var closures = [
            "decode: { try $0.decodeMessage(decoder: &$1) }",
            "encode: { try $0.traverse(visitor: &$1) }",
        ]
        if let businessFields {
            let assignments = businessFields.assignments(to: "$0", from: "$1")
            closures.append("setError: { \(assignments.joined(separator: "; ")) }")
        }
        let arguments = closures.dropLast().map { "\($0)," } + closures.suffix(1).map { "\($0))" }
        return ["\(label): .init("] + arguments.indented.dropLast()
            + arguments.indented.suffix(1).map { $0 + end }
    }
}
