import RocketBase
import RocketRPC
import RocketSystemd
import RocketTCP
import Testing

@Suite("Server configuration")
struct ServerConfigurationTests {
    @Test("0 turns off the idle time-out and the report of slow callbacks")
    func zeroDurations() throws {
        var server = ServerConfig()
        server.idleTimeout = .milliseconds(7)
        server.slowCallback = .milliseconds(8)
        server.busyWaitMicroseconds = 20
        var configuration = try RPCServerConfiguration(server)
        #expect(configuration.tcp.connection.idleTimeout == .milliseconds(7))
        #expect(configuration.slowCallback == .milliseconds(8))
        #expect(configuration.busyWait == .microseconds(20))
        server.idleTimeout = .zero
        server.slowCallback = .zero
        configuration = try RPCServerConfiguration(server)
        #expect(configuration.tcp.connection.idleTimeout == nil)
        #expect(configuration.slowCallback == nil)
    }

    @Test("A configuration with a page is an error in a program without it, which says what to do")
    func missingAdmin() throws {
        var config = RocketConfig()
        config.server.port = 0
        config.admin.listen = "127.0.0.1:0"
        let error = #expect(throws: RPCError.self) {
            try RPCServer(config: config, services: [], systemd: nil, sockets: .none)
        }
        #expect(error?.message.contains("import RocketAdmin") == true)
        _ = try RPCServer(
            config: config, services: [], systemd: nil, sockets: .none, hasAdmin: true)
    }

    @Test("A configuration that requires gRPC of a program without it says what to do")
    func missingGRPC() throws {
        var server = ServerConfig()
        server.grpc = .on
        let error = #expect(throws: RPCError.self) { try RPCServerConfiguration(server) }
        #expect(
            error?.message.contains("protocols: [.grpc()]") == true, "\(String(describing: error))")
    }
}

@Suite("Call limits in the configuration")
struct CallLimitsConfigurationTests {
    @Test("Limits in the configuration are the server's limits")
    func limitsFromConfig() {
        var server = ServerConfig()
        server.maxInFlight = 7
        server.maxInFlightPerConnection = 6
        server.maxRequestBytes = 5
        server.maxResponseBytes = 4
        server.maxHandlerTime = .milliseconds(3)
        var method = MethodLimitConfig(method: "a.B.c")
        method.maxRequestBytes = 0
        server.methodLimits = [method]
        let limits = RPCCallLimits(server)
        #expect(limits.maxCalls == 7)
        #expect(limits.maxCallsPerConnection == 6)
        #expect(
            limits.defaults
                == RPCMethodLimits(
                    maxRequestBytes: 5, maxResponseBytes: 4, timeout: .milliseconds(3)))
        #expect(limits.methods == ["a.B.c": RPCMethodLimits(maxRequestBytes: 0)])
    }

    @Test("The configuration enables the built-in services")
    func builtInServices() throws {
        var server = ServerConfig()
        #expect(try RPCServerConfiguration(server).health)
        #expect(try !RPCServerConfiguration(server).reflection)
        server.health = false
        server.reflection = true
        #expect(try !RPCServerConfiguration(server).health)
        #expect(try RPCServerConfiguration(server).reflection)
    }
}
