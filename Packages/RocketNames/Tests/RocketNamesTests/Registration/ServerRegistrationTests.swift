import Logging
import RocketBase
import RocketRPC
import RocketSystem
import RocketTCP
import ServiceLifecycle
import Testing

@testable import RocketEtcd
@testable import RocketNames

@Suite struct ServerRegistrationTests {
    /// Records what happens.
    private final class Recorder: RPCRegistrar, RPCRegistration {
        let server = Locked<RPCServer?>(nil)
        let announcedAddress = Locked<String?>(nil)
        let stateAtWithdrawal = Locked<RPCServer.State?>(nil)
        private let isReady = AsyncEvent()

        var schemes: [String] { ["test"] }
        func check(_ target: RPCTarget) throws(RPCError) {}
        func register(
            _ endpoint: RPCEndpoint, as target: RPCTarget, logger: RocketLogger
        ) throws(RPCError) -> any RPCRegistration {
            announcedAddress.withLock { $0 = endpoint.text }
            isReady.fire()
            return self
        }
        var isAnnounced: Bool { true }
        func announced() async { await isReady.wait() }
        func withdraw() async throws(RPCError) {
            let state = server.withLock { $0 }?.state
            stateAtWithdrawal.withLock { $0 = state }
            throw RPCError(.unavailable, "in vain")
        }
    }

    private func makeServer() throws -> RPCServer {
        try RPCServer(
            configuration: RPCServerConfiguration(
                tcp: TCPServerConfiguration(listen: [.loopback(port: 0)])), services: [])
    }

    private func group(_ services: [any Service]) -> ServiceGroup {
        ServiceGroup(services: services, logger: .init(label: "test"))
    }

    @Test("A server is announced when it listens, and withdrawn while it still serves")
    func order() async throws {
        let recorder = Recorder()
        let server = try makeServer()
        recorder.server.withLock { $0 = server }
        var configuration = ServerRegistrationConfiguration(target: "test:orders")
        configuration.propagationTime = .milliseconds(1)
        let registration = try ServerRegistration(
            of: server, configuration, registrars: [recorder])
        let group = group([server, registration])
        try await withThrowingTaskGroup { tasks in
            tasks.addTask { try await group.run() }
            await recorder.announced()
            let address = await server.boundAddresses.first?.description
            #expect(recorder.announcedAddress.withLock { $0 } == address)
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        #expect(recorder.stateAtWithdrawal.withLock { $0 } == .running)
        #expect(server.state == .stopped)
    }

    @Test("A channel to a name in etcd reaches the server that announces itself there")
    func channel() async throws {
        try await withEtcd { store, etcd in
            let name = "etcd://\(etcd.address)/rocket/orders"
            var configuration = ServerRegistrationConfiguration(target: name)
            configuration.propagationTime = .zero
            configuration.address = "127.0.0.1:0"
            let server = try makeServer()
            let registration = try ServerRegistration(
                of: server, configuration, registrars: [EtcdRegistrar(.test)])
            let group = group([server, registration])
            let channel = try RPCChannel(to: name, resolvers: [EtcdResolver(.test)])
            try await withThrowingTaskGroup { tasks in
                tasks.addTask { try await group.run() }
                await store.wait { !$0.pairs.isEmpty }
                let response = try await RPCHealthClient(channel).check(
                    .init(), timeout: .seconds(60), options: .waitForReady)
                #expect(response.status == .serving)
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
            #expect(store.state.withLock { $0.pairs }.isEmpty)
            channel.close()
        }
    }

    @Test("What is announced: the address of the configuration, or the first one of the server")
    func addresses() throws {
        var configuration = ServerRegistrationConfiguration(target: "test:orders")
        configuration.weight = 3
        configuration.zone = "a"
        let bound = try [NetAddress(parsing: "10.0.0.1:80"), NetAddress(parsing: "10.0.0.2:81")]
        #expect(try configuration.endpoint(listening: bound).text == "10.0.0.1:80")
        #expect(try configuration.endpoint(listening: bound).weight == 3)
        #expect(try configuration.endpoint(listening: bound).zone == "a")
        configuration.address = "192.0.2.1:0"
        #expect(try configuration.endpoint(listening: bound).text == "192.0.2.1:80")
        configuration.address = "192.0.2.1:9"
        #expect(try configuration.endpoint(listening: bound).text == "192.0.2.1:9")
        for wrong in ["0.0.0.0:80", "[::]:80", "host:80"] {
            configuration.address = wrong
            #expect(throws: RPCError.self) { try configuration.endpoint(listening: bound) }
        }
        configuration.address = nil
        let all = try [NetAddress(parsing: "0.0.0.0:80")]
        #expect(throws: RPCError.self) { try configuration.endpoint(listening: all) }
        #expect(throws: RPCError.self) { try configuration.endpoint(listening: []) }
    }

    @Test("A target without a registrar is an error when the registration is made")
    func check() throws {
        let configuration = ServerRegistrationConfiguration(target: "dns:///orders:80")
        #expect {
            try ServerRegistration.check(configuration, registrars: [FileRegistrar()])
        } throws: {
            "\($0)".contains("can't be announced as 'dns:///orders:80' (known schemes: file)")
        }
    }
}
