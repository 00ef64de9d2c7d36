import RocketGeneratorPlugin

/// Writes the files that all methods of a project share.
struct CommonTemplates {
    let project: ProjectModel
    private var names: ProjectNames { project.names }

    /// Sources/NAME/interface/Interface.swift.
    var interface: Lines {
        let logger = names.rpc("RocketLogger", of: "RocketBase")
        return Lines(
            text: """
                public import RocketBase
                import RocketRPC

                /// Resources of all calls, created in main.swift. Add members that live as long as the
                /// program, such as a database or a channel to another service.
                public struct \(names.resources): Sendable {
                    /// The log of the program.
                    public let log: \(logger)

                    /// Creates resources. Tests can use the default, which logs nothing.
                    public init(log: \(logger) = .disabled) { self.log = log }
                }

                /// Protocol of all interfaces. Each instance handles one call with run() and setError().
                protocol \(names.interface): \(names.rpc("RPCInterface")) {
                    /// Resources of the call.
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

                /// A refusal by the rules of the service: thrown by run(), handled by setError().
                public typealias \(names.businessException) = \(error)

                extension \(error) {
                    // Add your refusals here, for example:
                    //
                    //     static let emptyGoods = \(names.businessException)(-2, "goods must not be empty")
                }
                """)
    }
}
