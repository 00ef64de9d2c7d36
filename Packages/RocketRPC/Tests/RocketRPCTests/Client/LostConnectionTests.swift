import RocketBase
import RocketCodec
import RocketReactor
import RocketRPC
import RocketSystem
import RocketTCP
import RocketTCPTestKit
import SwiftProtobuf
import Testing

/// Connections that end in the middle of a call, over real sockets.
@Suite struct LostConnectionTests {
    /// Resets the first `resets` connections when a request arrives, and answers on later ones.
    final class ResettingServer: Sendable {
        private let thread: IOThread
        private let server: TCPServer
        let address: NetAddress
        let requests = RequestLog()

        init(resets: Int) async throws {
            let (log, kit) = (requests, FrameKit())
            thread = try IOThread(name: "resetting")
            server = TCPServer(
                configuration: TCPServerConfiguration(listen: [.loopback(port: 0)]),
                mainLoop: thread.loop, subLoops: []
            ) { _ in
                let handler = RecordingConnectionHandler()
                handler.onReceived = { connection, input in
                    let bytes = input.copyBytes()
                    guard let request = try? kit.parse(bytes) else { return }
                    input.consume(bytes.count)
                    if log.add(request) <= resets { return connection.close(.reset) }
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
        /// Returns the number of requests so far.
        func add(_ request: FrameKit.Answer) -> Int {
            list.withLock {
                $0.append(request)
                return $0.count
            }
        }
    }

    @Test("A call with an idempotency key is sent again with the same msg_id")
    func idempotencyKey() async throws {
        let server = try await ResettingServer(resets: 2)
        let channel = try RPCChannel(to: server.address)
        let reply = try await channel.call(
            TestService.echo, Text("once"), timeout: .seconds(3600),
            metadata: ["idempotency-key": "key-1"])
        #expect(reply.value == "once")
        let requests = server.requests.all
        #expect(requests.count == 3)
        #expect(Set(requests.map(\.id)).count == 1)
        #expect(requests.allSatisfy { $0.info.contains("idempotency-key=key-1\n") })
        #expect(channel.statistics.retries == 2 && channel.statistics.connectionsLost == 2)
        channel.close()
        await server.stop()
    }

    @Test("A call without an idempotency key is not sent again")
    func noIdempotencyKey() async throws {
        let server = try await ResettingServer(resets: 1)
        let channel = try RPCChannel(to: server.address)
        let error = await #expect(throws: RPCError.self) {
            try await channel.call(TestService.echo, Text("once"), timeout: .seconds(3600))
        }
        #expect(error?.code == .failedGetReply)
        #expect(server.requests.all.count == 1)
        channel.close()
        await server.stop()
    }

    @Test("A call that waits for ready reaches a server that starts later")
    func serverStartsLater() async throws {
        // Not bound yet, and too random to be bound by another process.
        let name = "rocket-test-\(UInt64.random(in: .min ... .max))"
        let address = try NetAddress(parsing: "unix:@\(name)")
        var configuration = RPCChannelConfiguration()
        configuration.connectBackOff = BackOff(first: .milliseconds(1), most: .milliseconds(5))
        let channel = try RPCChannel(to: address, configuration: configuration)
        let states = channel.states
        let call = channel.start(
            TestService.echo, Text("later"), timeout: .seconds(3600), options: .waitForReady)
        for await state in states where state == .transientFailure { break }
        try await withServer(configure: { $0.tcp.listen = [address] }) { _ in
            let reply = try await call.value
            #expect(reply.value == "later")
            #expect(channel.statistics.connectFailures > 0)
        }
        channel.close()
    }

    /// A Unix socket can't be reset, so the channel cancels each call.
    @Test("Closing a channel over a Unix socket cancels its handlers")
    func unixSocket() async throws {
        let name = "rocket-test-\(UInt64.random(in: .min ... .max))"
        let address = try NetAddress(parsing: "unix:@\(name)")
        let service = TestService()
        try await withServer([service], configure: { $0.tcp.listen = [address] }) { _ in
            let channel = try RPCChannel(to: address)
            let call = channel.start(TestService.never, Text(), timeout: .seconds(3600))
            await service.gate.arrived(1)
            channel.close()
            await call.wait()
            await service.gate.wait()
            let cancelled = service.gate.cancelled.withLock { $0 }
            #expect(cancelled == 1)
        }
    }
}
