import RocketBase
import RocketRPC
import Testing

@Suite struct ServerConfigurationTests {
    @Test func zeroTurnsAnIdleTimeoutAndTheReportOfSlowCallbacksOff() throws {
        var server = ServerConfig()
        server.idleTimeout = .milliseconds(7)
        server.slowCallback = .milliseconds(8)
        var configuration = try RPCServerConfiguration(server)
        #expect(configuration.tcp.connection.idleTimeout == .milliseconds(7))
        #expect(configuration.slowCallback == .milliseconds(8))
        server.idleTimeout = .zero
        server.slowCallback = .zero
        configuration = try RPCServerConfiguration(server)
        #expect(configuration.tcp.connection.idleTimeout == nil)
        #expect(configuration.slowCallback == nil)
    }
}
