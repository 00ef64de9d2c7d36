import RocketGeneratorPlugin

/// What all of a project's methods share.
struct CommonTemplates {
    let project: ProjectModel
    private var names: ProjectNames { project.names }

    /// Sources/NAME/interface/Interface.swift.
    var interface: Lines {
        let logger = names.rpc("RocketLogger", of: "RocketBase")
        return Lines(
            text: """
                public import RocketBase
                public import RocketRPC

                /// What every call can use. main.swift makes it: put here what lives as long as the program,
                /// such as a store, or a channel to another service.
                public struct \(names.resources): Sendable {
                    /// The program's own log.
                    public let log: \(logger)

                    /// What a program has; tests do with less.
                    public init(log: \(logger) = .disabled) { self.log = log }
                }

                /// What the interfaces have in common: each is one call, with run() and setError().
                protocol \(names.interface): \(names.rpc("RPCInterface")) {
                    /// What it can use.
                    var resources: \(names.resources) { get }
                }
                """)
    }

    /// Sources/NAME/comm/BusinessException.swift.
    var businessException: Lines {
        let error = names.rpc("BusinessError")
        return Lines(
            text: """
                public import RocketRPC

                /// A refusal by the rules of the service: thrown by run(), told by setError().
                public typealias \(names.businessException) = \(error)

                extension \(error) {
                    // Your refusals, such as
                    //
                    //     static let emptyGoods = \(names.businessException)(-2, "no goods: say what to buy")
                }
                """)
    }
}
