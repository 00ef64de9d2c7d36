import RocketAdmin
public import RocketBase
public import RocketRPC
public import ServiceLifecycle

extension Daemon {
    /// Returns what shows a server by the element `admin` of the configuration: none, or one service,
    /// which stands before the server in the list of `run`, so that it answers while that drains.
    ///
    ///     let admin = try daemon.admin(of: server, reload, security: tls.provider)
    ///     try await daemon.run([tls] + admin + [server], …)
    ///
    /// With an address it bootstraps swift-metrics, if the program has not, so that the program's own
    /// metrics appear in `/metrics`: make their handles afterwards, and bootstrap another back end before.
    ///
    /// - Parameters:
    ///   - reload: has the configuration that is in force, which the page shows.
    ///   - security: makes the page's TLS (`admin/tls`); nil: none, so that a configuration with it is an
    ///     error.
    ///   - channels: those that the program calls other servers by.
    ///   - tracing: what exports the program's spans.
    ///   - version: of the program.
    /// - Throws: `ProgramFailure` (configuration) for an address that a page must not listen on, and TLS
    ///   that can't be used.
    public func admin(
        of server: RPCServer, _ reload: ConfigReload,
        security: (any TransportSecurityProvider)? = nil, channels: [RPCChannel] = [],
        tracing: ProgramTracing? = nil, version: String = RocketVersion.current
    ) throws(ProgramFailure) -> [any Service] {
        do throws(AdminError) {
            let configuration = try AdminConfiguration(
                reload.config.admin, security: security,
                authorization: { reload.config.admin.authorization })
            guard let configuration else { return [] }
            var source = AdminSource(name: name, server: server)
            source.version = version
            source.channels = channels
            source.configuration = { reload.config.entries }
            source.traces = tracing?.figures
            source.logs = logs
            source.metrics = ApplicationMetrics.bootstrap()
            return [AdminServer(configuration, source, logger: logs.app)]
        } catch {
            throw ProgramFailure("\(error)", status: .configuration)
        }
    }
}
