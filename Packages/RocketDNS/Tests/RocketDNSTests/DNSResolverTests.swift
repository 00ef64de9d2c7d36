import RocketDNS
import RocketDNSTestKit
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import Testing

@Suite(.oneAtATime) struct DNSResolverTests {
    let scene: Scene
    init() throws { scene = try Scene() }

    @Test("Finds the addresses of both families with their TTLs and the least of them")
    func bothFamilies() throws {
        scene.server.answer = { question in
            question.isA
                ? [question.reply([.a(question.name, "127.0.0.2", ttl: 60)])]
                : [question.reply([.aaaa(question.name, "::1", ttl: 30)])]
        }
        let resolver = try scene.resolver()
        scene.lookUp("a.example", port: 80, with: resolver)
        #expect(resolver.pendingLookups == 1)
        let found = try scene.host().get()
        #expect(Set(Scene.texts(found)) == ["127.0.0.2:80 60", "[::1]:80 30"])
        #expect(found.minimumTTL == .seconds(30) && found.missingFamily == nil)
        #expect(resolver.pendingLookups == 0)
        #expect(Set(scene.server.questions.map(\.type)) == [1, 28])
        #expect(scene.server.questions.allSatisfy { $0.name == "a.example" })
    }

    @Test("Asks for one family only")
    func oneFamily() throws {
        scene.server.answer = { [$0.reply([.a($0.name, "127.0.0.2", ttl: 60)])] }
        let resolver = try scene.resolver()
        scene.lookUp("a.example", .ipv4, with: resolver)
        #expect(Scene.texts(try scene.host().get()) == ["127.0.0.2:0 60"])
        #expect(scene.server.questions.map(\.type) == [1])
    }

    @Test("Keeps the server's order of IPv4 addresses")
    func serverOrder() throws {
        let wanted = ["127.0.0.9", "127.0.0.3", "127.0.0.5"]
        scene.server.answer = { question in
            question.isA
                ? [question.reply(wanted.map { .a(question.name, $0, ttl: 1) })]
                : [question.reply()]
        }
        let resolver = try scene.resolver()
        scene.lookUp("a.example", with: resolver)
        #expect(Scene.texts(try scene.host().get()) == wanted.map { "\($0):0 1" })
    }

    @Test("Follows aliases, whose TTLs count")
    func aliases() throws {
        scene.server.answer = { question in
            let chain: [FakeDNSRecord] = [
                .cname("b.example", "C.Example", ttl: 7),
                .cname(question.name, "B.example", ttl: 60),
            ]
            if question.isAAAA { return [question.reply(chain)] }
            return [question.reply(chain + [.a("c.example", "127.0.0.2", ttl: 30)])]
        }
        let resolver = try scene.resolver()
        scene.lookUp("A.example", with: resolver)
        let found = try scene.host().get()
        #expect(Scene.texts(found) == ["127.0.0.2:0 30"] && found.minimumTTL == .seconds(7))
    }

    @Test("A name that does not exist is negative for as long as the SOA record says")
    func unknownName() throws {
        scene.server.answer = { question in
            let soa = FakeDNSRecord.soa("example", minimum: question.isA ? 20 : 15, ttl: 40)
            return [question.reply(code: 3, authorities: [soa])]
        }
        let resolver = try scene.resolver()
        scene.lookUp("a.example", with: resolver)
        let error = try scene.hostError()
        #expect(error == DNSError(.unknownName, name: "a.example", negativeTTL: .seconds(15)))
        #expect(error?.isNegative == true)
        #expect(error?.description == "host name \"a.example\": there is no such name")
    }

    @Test("A name without addresses is negative, by default for negativeTTL")
    func noRecords() throws {
        scene.server.answer = { [$0.reply()] }
        scene.configuration.negativeTTL = .seconds(11)
        let resolver = try scene.resolver()
        scene.lookUp("a.example", with: resolver)
        #expect(
            try scene.hostError()
                == DNSError(.noRecords, name: "a.example", negativeTTL: .seconds(11)))
    }

    @Test(
        "Reports servers that fail, refuse, or don't support the query, after all tries",
        arguments: [
            (UInt8(2), DNSError.Kind.serverFailed), (5, .refused), (4, .notSupported),
            (1, .notSupported), (9, .serverFailed),
        ])
    func failures(code: UInt8, kind: DNSError.Kind) throws {
        scene.server.answer = { [$0.reply(code: code)] }
        let resolver = try scene.resolver()
        scene.lookUp("a.example", .ipv4, with: resolver)
        let error = try scene.hostError()
        #expect(error == DNSError(kind, name: "a.example"))
        #expect(error?.isNegative == false)
        // c-ares repeats these three.
        #expect(scene.server.questions.count == ([2, 4, 5].contains(code) ? 3 : 1))
    }

    @Test("Asks the next server when one fails or is silent")
    func nextServer() throws {
        let silent = try scene.newServer()
        let failing = try scene.newServer()
        failing.answer = { [$0.reply(code: 2)] }
        scene.server.answer = { [$0.reply([.a($0.name, "127.0.0.2", ttl: 60)])] }
        scene.configuration.servers = [silent.address, failing.address, scene.server.address]
        scene.configuration.tryTimeout = .milliseconds(20)
        let resolver = try scene.resolver()
        #expect(resolver.servers == scene.configuration.servers)
        scene.lookUp("a.example", .ipv4, with: resolver)
        #expect(Scene.texts(try scene.host().get()) == ["127.0.0.2:0 60"])
        // After a pause of this process c-ares may ask again.
        #expect(silent.questions.count >= 1 && failing.questions.count >= 1)
    }

    @Test("Reports timedOut when no server answers in all tries")
    func timeOut() throws {
        scene.configuration.tryTimeout = .milliseconds(10)
        scene.configuration.tries = 2
        let resolver = try scene.resolver()
        scene.lookUp("a.example", with: resolver)
        #expect(try scene.hostError() == DNSError(.timedOut, name: "a.example"))
        #expect(scene.server.questions.count == 4)
        #expect(scene.reactor.timerCount == 0)
    }

    @Test("Reports unreachable when no process is at the port")
    func unreachable() throws {
        func freeAddress() throws -> SocketAddress {
            let server = try scene.newServer()
            server.close()
            return server.address
        }
        scene.configuration.servers = [try freeAddress()]
        let resolver = try scene.resolver()
        scene.lookUp("a.example", with: resolver)
        let error = try scene.hostError()
        #expect(error == DNSError(.unreachable, name: "a.example"))
    }

    @Test("Asks over TCP when an answer is truncated")
    func truncated() throws {
        scene.server.answer = { question in
            if !question.isTCP { return [question.reply(isTruncated: true)] }
            return [
                question.reply(
                    (1...200).map { .a(question.name, "127.0.1.\($0)", ttl: 60) })
            ]
        }
        let resolver = try scene.resolver()
        scene.lookUp("a.example", .ipv4, with: resolver)
        #expect(try scene.host().get().addresses.count == 200)
        #expect(scene.server.questions.map(\.isTCP) == [false, true])
    }

    @Test("Reports an error that came over TCP")
    func failureOverTCP() throws {
        scene.server.answer = { question in
            [question.isTCP ? question.reply(code: 5) : question.reply(isTruncated: true)]
        }
        let resolver = try scene.resolver()
        scene.lookUp("a.example", .ipv4, with: resolver)
        #expect(try scene.hostError()?.kind == .refused)
    }

    @Test("Keeps recordLimit addresses")
    func recordLimit() throws {
        scene.server.answer = { question in
            [question.reply((1...9).map { .a(question.name, "127.0.1.\($0)", ttl: 60) })]
        }
        scene.configuration.recordLimit = 4
        let resolver = try scene.resolver()
        scene.lookUp("a.example", .ipv4, with: resolver)
        #expect(try scene.host().get().addresses.count == 4)
    }

    @Test("Does not wait longer than familyDelay for the other family")
    func familyDelay() throws {
        scene.server.answer = { question in
            question.isA ? [question.reply([.a(question.name, "127.0.0.2", ttl: 60)])] : []
        }
        scene.configuration.familyDelay = .milliseconds(5)
        let resolver = try scene.resolver()
        scene.lookUp("a.example", with: resolver)
        let found = try scene.host().get()
        #expect(Scene.texts(found) == ["127.0.0.2:0 60"])
        #expect(found.missingFamily == DNSError(.timedOut, name: "a.example"))
        // The query that nobody waits for is cancelled, and its socket closed.
        scene.run { scene.reactor.timerCount == 0 }
        scene.loop.tick(waitingAtMost: .zero)
        #expect(scene.reactor.timerCount == 0)
    }

    @Test("Searches the domains for a relative name")
    func search() throws {
        scene.server.answer = { question in
            if question.name != "a.two.example" { return [question.reply(code: 3)] }
            return [question.reply([.a(question.name, "127.0.0.2", ttl: 60)])]
        }
        scene.configuration.searchDomains = ["one.example", "two.example"]
        let resolver = try scene.resolver()
        scene.lookUp("a", .ipv4, with: resolver)
        #expect(try scene.host().get().addresses.count == 1)
        #expect(scene.server.questions.map(\.name) == ["a.one.example", "a.two.example"])
        scene.lookUp("a.", .ipv4, with: resolver)
        #expect(try scene.hostError()?.kind == .unknownName)
    }

    @Test("Finds the servers of a service by priority")
    func services() throws {
        scene.server.answer = { question in
            let name = question.name
            return [
                question.reply([
                    .srv(name, 20, 5, 80, "c.example", ttl: 9),
                    .srv(name, 10, 1, 81, "B.example", ttl: 60),
                    .srv(name, 10, 7, 82, "a.example", ttl: 60),
                ])
            ]
        }
        scene.configuration.searchDomains = ["one.example"]
        let resolver = try scene.resolver()
        scene.lookUpServices("_rocket._tcp.example", with: resolver)
        let found = try scene.service().get()
        #expect(found.services.map(\.target) == ["b.example", "a.example", "c.example"])
        #expect(found.services.map(\.port) == [81, 82, 80])
        #expect(found.services.map(\.weight) == [1, 7, 5])
        #expect(found.minimumTTL == .seconds(9))
        #expect(scene.server.questions.map(\.type) == [33])
        scene.server.answer = { [$0.reply([.srv($0.name, 0, 0, 0, "", ttl: 9)])] }
        scene.lookUpServices("_rocket._tcp.example", with: resolver)
        #expect(
            throws: DNSError(.noRecords, name: "_rocket._tcp.example", negativeTTL: .seconds(30))
        ) { try scene.service().get() }
        scene.server.answer = { [$0.reply(code: 3)] }
        scene.lookUpServices("_a._tcp", with: resolver)
        #expect(throws: DNSError.self) { try scene.service().get() }
        #expect(scene.server.questions.count == 3)
    }
}
