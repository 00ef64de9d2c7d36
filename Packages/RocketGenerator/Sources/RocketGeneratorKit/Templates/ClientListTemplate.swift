import RocketGeneratorPlugin

/// The part of Package.swift that is renewed: which test clients there are.
enum ClientListTemplate {
    /// What the list is made of; its hash stands in its first line.
    static func body(_ methods: [ProjectMethod]) -> Lines {
        let names = methods.map { "\"\($0.testClient)\"" }
        guard names.count > 1 else { return ["let testClients = [\(names.joined())]"] }
        return ["let testClients = ["] + names.map { "    \($0)," } + ["]"]
    }

    static func lines(_ methods: [ProjectMethod]) -> Lines {
        let body = body(methods)
        return [GeneratedBlock.opening(sealing: body.text)] + body + [GeneratedBlock.closing]
    }
}
