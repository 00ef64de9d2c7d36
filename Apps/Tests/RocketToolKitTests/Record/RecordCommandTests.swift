import ArgumentParser
import Testing

@testable import RocketToolKit

@Suite struct RecordCommandTests {
    @Test("sizes have units of 1024, samples are one of so many, speeds factors")
    func arguments() {
        #expect(ByteCountArgument(argument: "4096")?.bytes == 4096)
        #expect(ByteCountArgument(argument: "64k")?.bytes == 65_536)
        #expect(ByteCountArgument(argument: "2G")?.bytes == 2 << 30)
        for text in ["", "k", "-1", "1.5m", "1t", "1025g", "99999999999999999999"] {
            #expect(ByteCountArgument(argument: text) == nil, "\(text)")
        }
        #expect(SampleArgument(argument: "1/100")?.calls == 100)
        #expect(SampleArgument(argument: "7")?.calls == 7)
        for text in ["0", "2/3", "1/0", "1/", "x", "1000001"] {
            #expect(SampleArgument(argument: text) == nil, "\(text)")
        }
        #expect(SpeedArgument(argument: "0.5x")?.factor == 0.5)
        #expect(SpeedArgument(argument: "2")?.factor == 2)
        #expect(SpeedArgument(argument: "0x") == nil && SpeedArgument(argument: "nan") == nil)
    }

    private func refusal<Command: ParsableCommand>(
        _ type: Command.Type, _ arguments: String...
    ) -> String {
        do {
            _ = try type.parse(arguments)
            return "accepted"
        } catch { return type.message(for: error) }
    }

    @Test("what is out of range or does not fit together is refused")
    func refused() {
        let record = RecordCommand.self
        #expect(refusal(record, "a", "-o", "f", "--calls", "0") == "--calls is 1 or more")
        #expect(
            refusal(record, "a", "-o", "f", "--max-message", "2m") == "--max-message is at most 1m")
        #expect(refusal(record, "a", "-o", "f", "--size", "64m", "--sample", "1/9") == "accepted")
        let replay = ReplayCommand.self
        #expect(
            refusal(replay, "f", "a:1", "--rate", "1", "--speed", "1x")
                == "--rate goes without --speed")
        #expect(refusal(replay, "f", "a:1", "-c", "0") == "--concurrency is 1 to 10000")
        #expect(
            refusal(replay, "f", "a:1", "--idempotency-key", "k")
                == "--idempotency-key is for one call, not for those of a file")
    }

    @Test("the outcome of a recording says what is missing in it")
    func outcome() {
        let outcome = RecordingOutcome(
            recording: "x", ended: "size", calls: 5, bytes: 900, dropped: 2, cancelled: 0,
            streams: 1, omittedMessages: 0, unmaskableMessages: 0)
        #expect(
            outcome.lines(file: "f") == [
                "f: 5 calls, 900 bytes", "the limit of --size is reached",
                "2 calls were dropped: the server's memory for them (8 MiB) was used up",
                "1 calls of methods with streams are not recorded",
            ])
    }
}
