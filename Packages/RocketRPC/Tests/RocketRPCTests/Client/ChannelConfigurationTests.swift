import RocketBase
import RocketRPC
import Testing

@Suite struct ChannelConfigurationTests {
    @Test func aStubSaysHowItsChannelBehaves() {
        var stub = StubConfig(name: "order", address: "127.0.0.1:1")
        stub.timeout = .milliseconds(7)
        stub.connectTimeout = .milliseconds(8)
        stub.poolSize = 3
        stub.waitsForReady = true
        stub.maxAttempts = 2
        stub.maxRequestBytes = 127
        stub.sendsDeadline = false
        stub.sendsCancel = false
        stub.checksum = .require
        let configuration = RPCChannelConfiguration(stub)
        #expect(configuration.timeout == .milliseconds(7))
        #expect(configuration.connectTimeout == .milliseconds(8))
        #expect(configuration.poolSize == 3 && configuration.waitsForReady)
        #expect(configuration.retry.maxAttempts == 2)
        #expect(configuration.maxRequestBytes == 127)
        #expect(!configuration.sendsDeadline && !configuration.sendsCancel)
        #expect(configuration.codec.checksum == .required)
    }

    @Test func aStubWithDefaultsIsAChannelWithDefaults() {
        let configuration = RPCChannelConfiguration(StubConfig(name: "a", address: "127.0.0.1:1"))
        let plain = RPCChannelConfiguration()
        #expect(configuration.timeout == plain.timeout)
        #expect(configuration.poolSize == plain.poolSize)
        #expect(configuration.waitsForReady == plain.waitsForReady)
        #expect(configuration.retry.maxAttempts == plain.retry.maxAttempts)
        #expect(configuration.maxRequestBytes == nil)
        #expect(configuration.sendsDeadline && configuration.sendsCancel)
    }

    @Test func aStubsAddressesComeInTheirOrder() throws {
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
}
