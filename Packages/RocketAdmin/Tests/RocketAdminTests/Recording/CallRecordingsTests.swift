import RocketBase
import RocketBaseTestKit
import RocketBinaryLog
@_spi(Recording) import RocketRPC
import RocketSystem
import RocketTCP
import Testing

@testable import RocketAdmin

/// Recordings of a server that has not begun to serve: they begin, go on and end as those of one that
/// has.
struct CallRecordingsTests {
    private let time = ManualTimeSource()

    private func recordings(
        isAllowed: Bool = true, masks: [String] = [], collectsMetrics: Bool = true
    ) throws -> CallRecordings {
        var configuration = RPCServerConfiguration(
            tcp: TCPServerConfiguration(listen: [.loopback(port: 0)]))
        configuration.collectsMetrics = collectsMetrics
        configuration.health = true
        let server = try RPCServer(configuration: configuration, services: [], time: time)
        return CallRecordings(
            server, isAllowed: isAllowed, alwaysMasked: masks.compactMap(FieldPath.init),
            time: time, logger: .disabled)
    }

    private func answer(_ recordings: CallRecordings, _ form: String) throws -> String {
        let response = try recordings.answer(try #require(FormFields(form)))
        return String(decoding: response.bytes ?? [], as: UTF8.self)
    }

    private func id(_ answer: String) throws -> String {
        let parts = answer.split(separator: "\"")
        return String(try #require(parts.count > 3 ? parts[3] : nil))
    }

    private func refusal(_ recordings: CallRecordings, _ form: String) throws -> Int? {
        #expect(throws: RequestPolicy.Refusal.self) { try answer(recordings, form) }?.status
    }

    @Test("one recording at a time: it begins, is asked for, and is stopped")
    func life() throws {
        let recordings = try recordings()
        let first = try answer(recordings, "")
        #expect(first.hasPrefix(#"{"recording":""#) && first.contains(#""ended":null"#))
        #expect(first.hasSuffix("}\n"))
        #expect(try refusal(recordings, "") == 409)
        let id = try id(first)
        #expect(try answer(recordings, "id=\(id)").contains(#""ended":null"#))
        #expect(try refusal(recordings, "id=other") == 404)
        #expect(try answer(recordings, "id=\(id)&stop=1").contains(#""ended":"stopped""#))
        #expect(try refusal(recordings, "id=\(id)") == 404)
        _ = try answer(recordings, "")
    }

    @Test("a recording that nobody asks for 10 s has ended")
    func lease() throws {
        let recordings = try recordings()
        let first = try id(answer(recordings, ""))
        time.advance(by: .seconds(10))
        recordings.expire()
        _ = try answer(recordings, "id=\(first)")
        time.advance(by: .seconds(10))
        recordings.expire()
        _ = try answer(recordings, "id=\(first)")
        time.advance(by: .milliseconds(10_001))
        recordings.expire()
        #expect(try refusal(recordings, "id=\(first)") == 404)
        // The next one need not wait for the clock of the page.
        _ = try answer(recordings, "")
        time.advance(by: .milliseconds(10_001))
        _ = try answer(recordings, "")
        recordings.stop()
        _ = try answer(recordings, "")
    }

    @Test("what is not allowed or names nothing is refused, and begins nothing")
    func refused() throws {
        #expect(try refusal(recordings(isAllowed: false), "") == 403)
        #expect(try refusal(recordings(collectsMetrics: false), "") == 409)
        #expect(try refusal(recordings(masks: ["no_such"]), "") == 400)
        let recordings = try recordings(masks: ["service"])
        #expect(try refusal(recordings, "mask=no_such") == 400)
        #expect(try refusal(recordings, "method=rocket.Health.no") == 400)
        #expect(try refusal(recordings, "sample=0") == 400)
        _ = try answer(recordings, "mask=service&method=rocket.*")
        let none = CallRecordings(
            nil, isAllowed: true, alwaysMasked: [], time: time, logger: .disabled)
        #expect(try refusal(none, "") == 409)
    }
}
