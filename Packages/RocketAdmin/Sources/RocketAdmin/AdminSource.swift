public import RocketBase
public import RocketRPC
import RocketSystem

/// What a page is about: a server, the channels of its program, its configuration and its log.
public struct AdminSource: Sendable {
    /// The program's name: the title of the pages.
    public var name: String
    /// Its version; empty, the default: it is not shown.
    public var version = ""
    /// The channels that the program calls other servers by. Default none.
    public var channels: [RPCChannel] = []
    /// Returns the configuration that is in force, with secrets: those are not shown. Default none.
    public var configuration: @Sendable () -> [ConfigEntry] = { [] }
    /// The log, whose levels are shown. Default nil: it is not shown.
    public var logs: LogSystem?
    /// The program's own metrics, which `/metrics` has, too. Default nil: it has none.
    public var metrics: ApplicationMetrics?

    /// Returns what has become of the program's spans. Default nil: it exports none.
    public var traces: (@Sendable () -> AdminTraces)?

    /// Whose calls can be recorded; nil in tests.
    let server: RPCServer?
    let state: @Sendable () -> RPCServer.State
    let snapshot: @Sendable () async -> RPCServerSnapshot

    /// The page of a server.
    public init(name: String, server: RPCServer) {
        self.name = name
        self.server = server
        state = { server.state }
        snapshot = { await server.snapshot() }
    }

    /// A source of given numbers, for tests.
    init(
        name: String, state: @escaping @Sendable () -> RPCServer.State = { .running },
        snapshot: @escaping @Sendable () async -> RPCServerSnapshot
    ) {
        self.name = name
        server = nil
        self.state = state
        self.snapshot = snapshot
    }
}
