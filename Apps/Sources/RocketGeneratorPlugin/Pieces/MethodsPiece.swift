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
        let head = "\(level.modifier)static let \(method.swiftName) = \(names.method)"
        let types = [method.request, method.response]
        let arguments = ["service: \"\(service.fullName)\"", "name: \"\(method.name)\""]
        let oneLine = "\(head)<\(types.joined(separator: ", "))>"
        let comment = ["/// `\(service.fullName).\(method.name)`"]
        if Layout.fits("\(oneLine)(", depth: 1) {
            return comment + Layout.list(oneLine, arguments, depth: 1, closingOnOwnLine: false)
        }
        return comment + ["\(head)<"] + Layout.items(types, depth: 2).indented
            + Layout.list(">", arguments, depth: 1, closingOnOwnLine: false)
    }
}
