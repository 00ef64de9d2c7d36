import RocketBase
import RocketCodec
import RocketSystem
import RocketTCP
import SwiftProtobuf
import Testing

@testable import RocketRPC

@Suite struct ChannelConfigurationTests {
    @Test("A stub's settings become its channel's")
    func stub() throws {
        var stub = StubConfig(name: "order", address: "127.0.0.1:1")
        stub.timeout = .milliseconds(7)
        stub.connectTimeout = .milliseconds(8)
        stub.poolSize = 3
        stub.busyWaitMicroseconds = 20
        stub.waitsForReady = true
        stub.maxAttempts = 2
        stub.maxRequestBytes = 127
        stub.sendsDeadline = false
        stub.sendsCancel = false
        stub.checksum = .require
        stub.maxFrameBytes = 100 << 20
        stub.peer = .tinyrpc
        let configuration = try RPCChannelConfiguration(stub)
        #expect(configuration.timeout == .milliseconds(7))
        #expect(configuration.connectTimeout == .milliseconds(8))
        #expect(configuration.poolSize == 3 && configuration.waitsForReady)
        #expect(configuration.busyWait == .microseconds(20))
        #expect(configuration.retry.maxAttempts == 2)
        #expect(configuration.maxRequestBytes == 127)
        #expect(!configuration.sendsDeadline && !configuration.sendsCancel)
        #expect(configuration.codec.checksum == .required)
        #expect(configuration.codec.maxFrameBytes == 100 << 20)
        #expect(configuration.peer == .tinyrpc)
    }

    @Test("The buffers of a connection hold a frame of any configured size")
    func largeFrames() {
        for size in [64, 4 << 20, 33 << 20, 1 << 30] {
            let configuration = TCPConnector(addresses: [], maxFrameBytes: size).configuration
            #expect(configuration.inputLimitBytes >= size)
            #expect(
                configuration.outputLimitBytes >= size + configuration.highWaterMarkBytes)
        }
    }

    @Test("A stub with defaults makes a channel with defaults")
    func stubDefaults() throws {
        let configuration = try RPCChannelConfiguration(
            StubConfig(name: "a", address: "127.0.0.1:1"))
        let plain = RPCChannelConfiguration()
        #expect(configuration.timeout == plain.timeout)
        #expect(configuration.poolSize == plain.poolSize)
        #expect(configuration.waitsForReady == plain.waitsForReady)
        #expect(configuration.retry.maxAttempts == plain.retry.maxAttempts)
        #expect(configuration.maxRequestBytes == nil && configuration.peer == .rocketSwift)
        #expect(configuration.codec == plain.codec)
        #expect(configuration.sendsDeadline && configuration.sendsCancel)
    }

    @Test("A stub's addresses keep their order, and replace its address")
    func stubAddresses() throws {
        var stub = StubConfig(name: "order", address: "127.0.0.1:1")
        #expect(stub.endpoints == ["127.0.0.1:1"])
        stub.addresses = ["127.0.0.1:2", "unix:/run/order"]
        #expect(stub.endpoints == stub.addresses && stub.endpoint == "127.0.0.1:2, unix:/run/order")
        var config = RocketConfig()
        config.stubs = [stub]
        let channel = try RPCChannel(to: "order", config: config)
        #expect(channel.target == "order")
        channel.close()
        let error = #expect(throws: RPCError.self) { try RPCChannel(to: "oder", config: config) }
        #expect(error?.code == .peerAddress && error?.message.contains("order") == true)
    }

    // MARK: Over a connection

    /// Answers with the time left until the deadline, in milliseconds.
    struct Clock: RPCService {
        static let serviceName = "test.Clock"
        static let left = RPCMethod<Number, Number>(service: serviceName, name: "left")

        func register(in registry: inout RPCServiceRegistry) throws {
            try registry.add(Self.left) { _, call in
                let left = call.deadline.map { $0 - SystemTimeSource().monotonic() } ?? .zero
                return Number(Int64(left / .milliseconds(1)))
            }
        }
    }

    @Test("A call without a time-out has its stub's")
    func stubTimeout() async throws {
        try await withServer([Clock()], configure: { $0.limits.defaults.timeout = .zero }) {
            address in
            var stub = StubConfig(name: "clock", address: address.description)
            stub.timeout = .seconds(7200)
            var config = RocketConfig()
            config.stubs = [stub]
            let channel = try RPCChannel(to: "clock", config: config)
            defer { channel.close() }
            let stubs = try await channel.call(Clock.left, Number(0)).value
            #expect(stubs > 3_600_000 && stubs <= 7_200_000)
            let own = try await channel.call(Clock.left, Number(0), timeout: .seconds(3600)).value
            #expect(own > 0 && own <= 3_600_000)
        }
    }

    @Test(
        "A channel takes over what its stub says now; a stub that is gone, or wrong, changes nothing"
    )
    func reload() async throws {
        try await withServer { first in
            try await withServer { second in
                var config = RocketConfig()
                config.stubs = [StubConfig(name: "order", address: first.description)]
                let channel = try RPCChannel(to: "order", config: config)
                defer { channel.close() }
                let call = RPCController()
                _ = try await channel.call(TestService.echo, Text("a"), call)
                #expect(call.peerAddress == first)
                config.stubs[0].address = second.description
                config.stubs[0].timeout = .seconds(7200)
                try channel.reload(config)
                let next = RPCController()
                _ = try await channel.call(TestService.echo, Text("b"), next)
                #expect(next.peerAddress == second)
                let servers = await channel.endpoints()
                #expect(servers.map(\.addresses) == [[second]])
                config.stubs[0].address = "consul:order"
                #expect(throws: RPCError.self) { try channel.reload(config) }
                config.stubs = []
                #expect(throws: RPCError.self) { try channel.reload(config) }
                let last = RPCController()
                _ = try await channel.call(TestService.echo, Text("c"), last)
                #expect(last.peerAddress == second)
            }
        }
    }

    @Test("Of several addresses the first that accepts is used")
    func firstAddress() async throws {
        let unbound = NetAddress(.abstract(name: "rocket-test-\(UInt64.random(in: 0 ... .max))"))
        try await withServer { address in
            let channel = try RPCChannel(to: [unbound, address], configuration: .patient)
            defer { channel.close() }
            let call = RPCController()
            let reply = try await channel.call(TestService.echo, Text("here"), call)
            #expect(reply.value == "here" && call.peerAddress == address)
        }
    }

    @Test("A server that requires checksums answers requests with one, and no others")
    func checksums() async throws {
        try await withServer {
            $0.codec = TinyPBCodec(checksum: .required)
        } _: { address in
            var configuration = RPCChannelConfiguration.patient
            configuration.codec = TinyPBCodec(checksum: .required)
            let summed = try RPCChannel(to: address, configuration: configuration)
            defer { summed.close() }
            let reply = try await summed.call(TestService.echo, Text("whole"))
            #expect(reply.value == "whole")
            let plain = try RPCChannel(to: address, configuration: .patient)
            defer { plain.close() }
            let error = await #expect(throws: RPCError.self) {
                try await plain.call(TestService.echo, Text("whole"))
            }
            #expect(error?.code == .failedDecode)
        }
    }
}
