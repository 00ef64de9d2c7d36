import RocketDNS
import RocketDNSTestKit
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import Testing

@Suite(.oneAtATime) struct MalformedAnswerTests {
    let scene: Scene
    init() throws { scene = try Scene() }

    @Test("An answer to another query is ignored")
    func wrongID() throws {
        scene.server.answer = { question in
            let right = question.reply([.a(question.name, "127.0.0.2", ttl: 60)])
            var wrong = question.reply([.a(question.name, "127.0.0.66", ttl: 60)])
            wrong[0] ^= 0x55
            var other = question.reply([.a(question.name, "127.0.0.66", ttl: 60)])
            other[13] ^= 1
            return [[], [1], Array(right.prefix(5)), wrong, other, right]
        }
        let resolver = try scene.resolver()
        scene.lookUp("a.example", .ipv4, with: resolver)
        #expect(Scene.texts(try scene.host().get()) == ["127.0.0.2:0 60"])
    }

    @Test("A record that is cut or has a wrong length is an error")
    func cutRecord() throws {
        scene.server.answer = { [Array($0.reply([.a($0.name, "127.0.0.2", ttl: 60)]).dropLast())] }
        let resolver = try scene.resolver()
        scene.lookUp("a.example", .ipv4, with: resolver)
        #expect(try scene.hostError() == DNSError(.malformedAnswer, name: "a.example"))
        scene.server.answer = { question in
            [
                question.reply([
                    FakeDNSRecord(question.name, type: 1, ttl: 1, data: [1, 2, 3, 4, 5])
                ])
            ]
        }
        scene.lookUp("a.example", .ipv4, with: resolver)
        #expect(try scene.hostError()?.kind == .malformedAnswer)
    }

    @Test("Rings of aliases and of compressed names are errors")
    func rings() throws {
        scene.server.answer = { question in
            [
                question.reply([
                    .cname(question.name, "b.example", ttl: 1),
                    .cname("b.example", question.name, ttl: 1),
                ])
            ]
        }
        let resolver = try scene.resolver()
        scene.lookUp("a.example", .ipv4, with: resolver)
        #expect(try scene.hostError()?.kind == .malformedAnswer)
        scene.server.answer = { question in
            let length = question.reply().count
            let pointer: [UInt8] = [1, 97, 0xC0 | UInt8(length >> 8), UInt8(length & 255)]
            var reply = question.reply([.a("x", "127.0.0.2", ttl: 1)])
            reply.replaceSubrange(length..<length + 3, with: pointer)
            return [reply]
        }
        scene.lookUp("a.example", .ipv4, with: resolver)
        #expect(try scene.hostError()?.kind == .malformedAnswer)
    }

    @Test("Survives garbage: each lookup ends once", arguments: 1...8)
    func garbage(seed: UInt64) throws {
        var generator = Seeded(state: seed)
        scene.server.answer = { question in
            var reply = question.reply(
                code: UInt8(generator.next() % 6),
                isTruncated: !question.isTCP && generator.next() % 4 == 0,
                [
                    .cname(question.name, "b.example", ttl: 1),
                    .a("b.example", "127.0.0.2", ttl: 1),
                    .aaaa("b.example", "::1", ttl: 1), .srv("b.example", 1, 1, 1, "c", ttl: 1),
                ], authorities: [.soa("example", minimum: 1, ttl: 1)])
            // The id remains in most answers, so that c-ares takes them.
            let first = generator.next() % 8 == 0 ? 0 : 2
            for _ in 0..<(generator.next() % 6) {
                let at = first + Int(generator.next() % UInt64(reply.count - first))
                reply[at] = UInt8(truncatingIfNeeded: generator.next())
            }
            if generator.next() % 3 == 0 { reply.removeLast(Int(generator.next() % 60)) }
            return [reply]
        }
        scene.configuration.tryTimeout = .milliseconds(10)
        scene.configuration.tries = 1
        scene.configuration.familyDelay = .milliseconds(5)
        let resolver = try scene.resolver()
        var ends = [Int](repeating: 0, count: 200)
        for number in 0..<200 {
            if number % 5 == 0 {
                resolver.lookUpServices(name: "s\(number)") { _ in ends[number] += 1 }
            } else {
                resolver.lookUp(host: "n\(number)") { _ in ends[number] += 1 }
            }
        }
        scene.run { resolver.pendingLookups == 0 }
        #expect(ends == [Int](repeating: 1, count: 200), "seed \(seed)")
    }
}

/// SplitMix64.
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
