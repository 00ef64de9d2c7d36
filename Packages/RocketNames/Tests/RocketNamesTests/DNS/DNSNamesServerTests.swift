import RocketBase
import RocketDNS
import RocketDNSTestKit
import RocketReactor
import RocketRPC
import RocketSystem
import RocketTCP
import Testing

@testable import RocketNames

/// Names that a DNS server on the loopback answers, by c-ares.
@Suite struct DNSNamesServerTests {
    /// A server on a loop with a thread of its own.
    private final class Site: Sendable {
        let thread: IOThread
        let address: NetAddress
        private let server: LoopBound<FakeDNSServer>

        init(_ answer: @escaping @Sendable (FakeDNSQuestion) -> [[UInt8]]) async throws {
            let thread = try IOThread(name: "dns server")
            self.thread = thread
            server = try await withCheckedThrowingContinuation { continuation in
                thread.loop.execute { reactor in
                    continuation.resume(
                        with: Result {
                            let server = try FakeDNSServer(on: reactor)
                            server.answer = answer
                            return LoopBound(server, on: reactor)
                        })
                }
            }
            address = await withCheckedContinuation { [server] continuation in
                thread.loop.execute { _ in
                    continuation.resume(returning: NetAddress(server.get().address))
                }
            }
        }

        func end() async {
            thread.loop.execute { [server] _ in server.get().close() }
            thread.stop()
            await thread.ended()
        }
    }

    private static var configuration: DNSConfiguration {
        var configuration = DNSConfiguration()
        configuration.hostsFile = nil
        configuration.resolvConf = "/nowhere/resolv.conf"
        configuration.searchDomains = []
        return configuration
    }
    private let names = DNSNames(Self.configuration)

    @Test("A channel to a name with an IPv6 address where nobody listens reaches the IPv4 one")
    func raced() async throws {
        let site = try await Site { question in
            let records: [FakeDNSRecord] =
                question.type == 28
                ? [.aaaa(question.name, "::1", ttl: 60)] : [.a(question.name, "127.0.0.1", ttl: 60)]
            return [question.reply(records)]
        }
        let server = try RPCServer(
            configuration: RPCServerConfiguration(
                tcp: TCPServerConfiguration(listen: [.loopback(port: 0)])), services: [])
        let running = Task { try await server.run() }
        let port = try #require(await server.boundAddresses.first?.port)
        let channel = try RPCChannel(
            to: "dns://\(site.address)/orders.example:\(port)", resolvers: [names])
        let reply = try await RPCHealthClient(channel).check(
            .init(), timeout: .seconds(60), options: .with { $0.waitsForReady = true })
        #expect(reply.status == .serving)
        channel.close()
        server.beginDrain()
        try await running.value
        await site.end()
    }

    @Test("A server that does not answer holds up no other name of the same loop")
    func slow() async throws {
        let silent = try await Site { _ in [] }
        let site = try await Site { question in
            [question.reply(question.type == 1 ? [.a(question.name, "10.0.0.1", ttl: 60)] : [])]
        }
        let thread = try IOThread(name: "client")
        let slow = Locked(0)
        let others = AsyncStream.makeStream(of: [RPCEndpoint].self)
        let names = names
        let targets = try (
            RPCTarget("dns://\(silent.address)/a.example:1"),
            RPCTarget("dns://\(site.address)/b.example:80")
        )
        let resolutions = Locked<[LoopBound<any RPCResolution>]>([])
        thread.loop.execute { reactor in
            let first = names.start(
                targets.0, on: reactor,
                report: RPCResolverReport(on: reactor.loop) { _, _ in slow.withLock { $0 += 1 } })
            let second = names.start(
                targets.1, on: reactor,
                report: RPCResolverReport(on: reactor.loop) {
                    others.continuation.yield((try? $1.get()) ?? [])
                })
            resolutions.withLock {
                $0 = [LoopBound(first, on: reactor), LoopBound(second, on: reactor)]
            }
        }
        var lists = others.stream.makeAsyncIterator()
        #expect(await lists.next()?.map(\.text) == ["10.0.0.1:80"])
        #expect(slow.withLock { $0 } == 0)
        thread.loop.execute { _ in
            resolutions.withLock { for resolution in $0 { resolution.get().cancel() } }
        }
        thread.stop()
        await thread.ended()
        await silent.end()
        await site.end()
    }

    @Test("A name that does not exist fails calls at once, with the reason")
    func unknown() async throws {
        let site = try await Site { [$0.reply(code: 3)] }
        let channel = try RPCChannel(
            to: "dns://\(site.address)/orders.example:80", resolvers: [names])
        let error = await #expect(throws: RPCError.self) {
            try await RPCHealthClient(channel).check(.init(), timeout: .seconds(60))
        }
        #expect(error?.code == .failedConnect)
        #expect(error?.message.contains("\"orders.example\": there is no such name") == true)
        channel.close()
        await site.end()
    }

    @Test("RPCChannel(to:) finds this machine by its name")
    func defaults() async throws {
        let server = try RPCServer(
            configuration: RPCServerConfiguration(
                tcp: TCPServerConfiguration(listen: [.loopback(port: 0)])), services: [])
        let running = Task { try await server.run() }
        let port = try #require(await server.boundAddresses.first?.port)
        let channel = try RPCChannel(to: "dns:///localhost:\(port)")
        let reply = try await RPCHealthClient(channel).check(
            .init(), timeout: .seconds(60), options: .with { $0.waitsForReady = true })
        #expect(reply.status == .serving)
        channel.close()
        server.beginDrain()
        try await running.value
    }
}
