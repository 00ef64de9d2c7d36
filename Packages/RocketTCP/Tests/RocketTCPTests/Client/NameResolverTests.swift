import RocketReactor
import RocketSystem
@testable import RocketTCP
import Testing

@Suite struct NameResolverTests {
    @Test("Resolves a name of this machine off the loop")
    func aNameOfThisMachineIsResolvedOffTheLoop() async throws {
        let resolver = try NameResolver()
        let addresses = try await resolver.resolve(HostPort(parsing: "localhost:80"))
        #expect(addresses.contains(.loopback(port: 80)) || !addresses.isEmpty)
        resolver.shutdown()
        await #expect(throws: NameLookupError.self) {
            try await resolver.resolve(HostPort(host: "localhost", port: 1))
        }
    }

    @Test("Fails lookups beyond the limit at once")
    func moreLookupsThanMayWaitFailAtOnce() async throws {
        let resolver = try NameResolver(waitingAtMost: 3)
        let gate = FutexWord(0)
        let loop = resolver.thread.loop
        // The first task blocks the thread. It counts, so two more may wait.
        loop.execute { _ in
            gate.exchange(1)
            gate.wakeAll()
            while gate.value != 2 { gate.wait(while: 1, atMost: nil) }
        }
        while gate.value == 0 { gate.wait(while: 0, atMost: nil) }
        let results = (0..<3).map { _ in
            resolver.resolve(HostPort(host: "127.0.0.1", port: 1), on: loop) { _, _ in }
        }
        #expect(results == [nil, nil, .overloaded("127.0.0.1")])
        gate.exchange(2)
        gate.wakeAll()
        resolver.shutdown()
        let late = resolver.resolve(HostPort(host: "127.0.0.1", port: 1), on: loop) { _, _ in }
        #expect(late == .shutDown("127.0.0.1"))
    }

    @Test(
        "Names the part of name:port that is wrong, and the reason",
        arguments: [
            ("nowhere", "has no port; expected host:port"), (":80", "host is empty"),
            ("a b:80", "host \"a b\" has characters that are not allowed in a name"),
            ("name:http", "port \"http\" is not a number from 0 to 65535"),
        ])
    func hostPortErrors(_ text: String, _ problem: String) {
        let error = #expect(throws: NetAddressError.self) { try HostPort(parsing: text) }
        #expect(error?.description == "address \"\(text)\": \(problem)")
    }
}
