import RocketDNS
import RocketDNSTestKit
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import Testing

@Suite(.oneAtATime) struct LookupLifeTests {
    let scene: Scene
    init() throws { scene = try Scene() }

    @Test("Never completes inside of lookUp, also where no query is needed")
    func later() throws {
        let resolver = try scene.resolver()
        var count = 0
        resolver.lookUp(host: "192.0.2.1") { _ in count += 1 }
        resolver.lookUp(host: "") { _ in count += 1 }
        #expect(count == 0)
        scene.run { count == 2 }
    }

    @Test("A cancelled lookup ends at once, and its query with it")
    func cancel() throws {
        let resolver = try scene.resolver()
        let request = scene.lookUp("a.example", with: resolver)
        scene.run { scene.server.questions.count == 2 }
        let watched = scene.reactor.registrationCount
        request.cancel()
        request.cancel()
        #expect(try scene.hostError() == DNSError(.cancelled, name: "a.example"))
        scene.loop.tick(waitingAtMost: .zero)
        #expect(scene.reactor.registrationCount == watched - 1)
        #expect(scene.reactor.timerCount == 0)
    }

    @Test("A result that was not delivered is cancelled too")
    func cancelLate() throws {
        let resolver = try scene.resolver()
        let request = scene.lookUp("192.0.2.1", with: resolver)
        request.cancel()
        #expect(try scene.hostError()?.kind == .cancelled)
    }

    @Test("Lookups end as shutDown when the resolver is released")
    func release() throws {
        var resolver: DNSResolver? = try scene.resolver()
        weak let weakResolver = resolver
        for name in ["b.example", "a.example"] {
            if let resolver { scene.lookUp(name, with: resolver) }
        }
        scene.run { scene.server.questions.count == 4 }
        resolver = nil
        #expect(weakResolver == nil)
        #expect(try scene.hostError() == DNSError(.shutDown, name: "b.example"))
        #expect(try scene.hostError() == DNSError(.shutDown, name: "a.example"))
        // Those of the loop and of the fake server are left.
        #expect(scene.reactor.registrationCount == 3)
        #expect(scene.reactor.timerCount == 0)
    }

    @Test("A completion may release the resolver")
    func releaseInside() throws {
        scene.server.answer = { [$0.reply(code: 3)] }
        var resolver: DNSResolver? = try scene.resolver()
        var kinds: [DNSError.Kind] = []
        for name in ["a.example", "b.example"] {
            resolver?.lookUp(host: name, families: .ipv4) { result in
                resolver = nil
                if case .failure(let error) = result { kinds.append(error.kind) }
            }
        }
        scene.run { kinds.count == 2 }
        #expect(kinds.first == .unknownName)
    }

    @Test("Lookups end as shutDown when the loop ends, and later ones fail")
    func loopEnd() throws {
        let driven = try HandDrivenLoop()
        let resolver = try DNSResolver(configuration: scene.configuration, on: driven.reactor)
        var kinds: [DNSError.Kind] = []
        func lookUp() {
            resolver.lookUp(host: "a.example") { result in
                if case .failure(let error) = result { kinds.append(error.kind) }
            }
        }
        lookUp()
        driven.loop.release()
        driven.loop.stop()
        driven.loop.run()
        #expect(kinds == [.shutDown])
        #expect(resolver.servers == [])
    }

    @Test("A lookup may not take longer than lookupTimeout")
    func lookupTimeout() throws {
        let driven = try HandDrivenLoop()
        let resolver = try DNSResolver(configuration: scene.configuration, on: driven.reactor)
        var kinds: [DNSError.Kind] = []
        resolver.lookUp(host: "a.example") { result in
            if case .failure(let error) = result { kinds.append(error.kind) }
        }
        driven.tick(after: .seconds(9))
        #expect(kinds.isEmpty)
        driven.tick(after: .seconds(1))
        #expect(kinds == [.timedOut])
        driven.tick()
        #expect(driven.reactor.registrationCount == 1 && driven.reactor.timerCount == 0)
    }

    @Test("Answers many lookups at a time")
    func many() throws {
        scene.server.answer = { question in
            question.isA
                ? [question.reply([.a(question.name, "127.0.0.2", ttl: 60)])] : [question.reply()]
        }
        let resolver = try scene.resolver()
        var names: Set<String> = []
        for number in 0..<1_000 {
            let name = "n\(number).example"
            resolver.lookUp(host: name) { result in
                if (try? result.get().addresses.count) == 1 { names.insert(name) }
            }
        }
        #expect(resolver.pendingLookups == 1_000)
        scene.run { resolver.pendingLookups == 0 }
        #expect(names.count == 1_000 && scene.server.questions.count == 2_000)
    }

    @Test("Lookups wait for their turn at the limit on queries, and fail beyond the next limit")
    func limits() throws {
        scene.configuration.concurrentQueries = 4
        scene.configuration.waitingLookups = 2
        let resolver = try scene.resolver()
        var requests: [DNSRequest] = []
        for number in 0..<4 {
            requests.append(scene.lookUp("n\(number).example", with: resolver))
        }
        scene.lookUp("beyond.example", with: resolver)
        #expect(try scene.hostError() == DNSError(.overloaded, name: "beyond.example"))
        scene.run { scene.server.questions.count == 4 }
        // One that waits makes room for another one when it is cancelled.
        requests[2].cancel()
        #expect(try scene.hostError() == DNSError(.cancelled, name: "n2.example"))
        scene.lookUp("n4.example", with: resolver)
        scene.server.answer = { [$0.reply(code: 3)] }
        // The queries of cancelled lookups count until c-ares ends them: so far no other one begins.
        requests[0].cancel()
        #expect(try scene.hostError() == DNSError(.cancelled, name: "n0.example"))
        scene.loop.tick(waitingAtMost: .zero)
        #expect(scene.server.questions.count == 4 && resolver.pendingLookups == 3)
        requests[1].cancel()
        requests[3].cancel()
        #expect(try scene.hostError()?.name == "n1.example")
        #expect(try scene.hostError()?.name == "n3.example")
        #expect(resolver.pendingLookups == 1)
    }

    @Test("A socket that can't be watched ends its lookup by the time limit")
    func refusedRegistration() throws {
        scene.reactor.refuse(.add, of: "dns", with: Errno(rawValue: 28))
        scene.configuration.tryTimeout = .milliseconds(10)
        scene.configuration.tries = 1
        let resolver = try scene.resolver()
        scene.lookUp("a.example", with: resolver)
        #expect(try scene.hostError()?.kind == .timedOut)
    }
}
