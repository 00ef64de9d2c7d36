import RocketBase
import RocketCodec
import RocketReactor
import RocketRPC
import RocketSystem
import RocketTCP
import RocketTCPTestKit
import SwiftProtobuf
import Testing

/// Connections that are cut in the middle of a call, over real sockets.
@Suite struct LostConnectionTests {
    /// Resets the first connections as soon as a request is there, and answers on later ones.
    final class Cutter: Sendable {
        private let thread: IOThread
        private let server: TCPServer
        let address: NetAddress
        let requests = RequestLog()

        init(cuts: Int) async throws {
            let (log, kit) = (requests, FrameKit())
            thread = try IOThread(name: "cutter")
            server = TCPServer(
                configuration: TCPServerConfiguration(listen: [.loopback(port: 0)]),
                mainLoop: thread.loop, subLoops: []
            ) { _ in
                let handler = RecordingConnectionHandler()
                handler.onReceived = { connection, input in
                    let bytes = input.copyBytes()
                    guard let request = try? kit.parse(bytes) else { return }
                    input.consume(bytes.count)
                    if log.add(request) <= cuts { return connection.close(.reset) }
                    if let reply = try? kit.frame(
                        id: request.id, request.method, payload: request.payload)
                    {
                        connection.write { $0.append(reply) }
                    }
                }
                return handler
            }
            address = try #require(try server.start().first)
        }

        func stop() async {
            await server.drain(within: .zero)
            thread.stop()
            await thread.ended()
        }
    }

    final class RequestLog: Sendable {
        private let list = Locked<[FrameKit.Answer]>([])
        var all: [FrameKit.Answer] { list.withLock { $0 } }
        /// Returns how many there are.
        func add(_ request: FrameKit.Answer) -> Int {
            list.withLock {
                $0.append(request)
                return $0.count
            }
        }
    }

    @Test func aCallWithAnIdempotencyKeyIsSentAgainAndIsTheSameCall() async throws {
        let cutter = try await Cutter(cuts: 2)
        let channel = try RPCChannel(to: cutter.address)
        let reply = try await channel.call(
            TestService.echo, Text("once"), timeout: .seconds(60),
            metadata: ["idempotency-key": "key-1"])
        #expect(reply.value == "once")
        let requests = cutter.requests.all
        #expect(requests.count == 3)
        #expect(Set(requests.map(\.id)).count == 1)
        #expect(requests.allSatisfy { $0.info.contains("idempotency-key=key-1\n") })
        #expect(channel.statistics.retries == 2 && channel.statistics.connectionsLost == 2)
        channel.close()
        await cutter.stop()
    }

    @Test func aCallWithoutOneIsNot() async throws {
        let cutter = try await Cutter(cuts: 1)
        let channel = try RPCChannel(to: cutter.address)
        let error = await #expect(throws: RPCError.self) {
            try await channel.call(TestService.echo, Text("once"), timeout: .seconds(60))
        }
        #expect(error?.code == .failedGetReply)
        #expect(cutter.requests.all.count == 1)
        channel.close()
        await cutter.stop()
    }

    @Test func aCallThatWaitsForReadyFindsAServerThatComesLater() async throws {
        // Nobody listens there yet, and nobody else can be given the name.
        let name = "rocket-test-\(UInt64.random(in: .min ... .max))"
        let address = try NetAddress(parsing: "unix:@\(name)")
        var configuration = RPCChannelConfiguration()
        configuration.connectBackOff = BackOff(first: .milliseconds(1), most: .milliseconds(5))
        let channel = try RPCChannel(to: address, configuration: configuration)
        let states = channel.states
        let call = channel.start(
            TestService.echo, Text("patience"), timeout: .seconds(60), options: .waitForReady)
        for await state in states where state == .transientFailure { break }
        try await withServer(configure: { $0.tcp.listen = [address] }) { _ in
            let reply = try await call.value
            #expect(reply.value == "patience")
            #expect(channel.statistics.connectFailures > 0)
        }
        channel.close()
    }

    /// A Unix socket can't be reset: the calls are cancelled one by one.
    @Test func aChannelOverAUnixSocketThatIsClosedCancelsItsHandlersToo() async throws {
        let name = "rocket-test-\(UInt64.random(in: .min ... .max))"
        let address = try NetAddress(parsing: "unix:@\(name)")
        let service = TestService()
        try await withServer([service], configure: { $0.tcp.listen = [address] }) { _ in
            let channel = try RPCChannel(to: address)
            let call = channel.start(TestService.never, Text(), timeout: .seconds(60))
            await service.gate.arrived(1)
            channel.close()
            await call.wait()
            await service.gate.wait()
            let cancelled = service.gate.cancelled.withLock { $0 }
            #expect(cancelled == 1)
        }
    }
}
