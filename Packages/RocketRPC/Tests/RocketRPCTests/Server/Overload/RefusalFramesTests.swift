import RocketBase
import RocketCodec
import Testing

@testable import RocketRPC

/// Compares the prepared replies of refused calls with those that the encoder writes.
@Suite("Prepared replies of refused calls")
struct RefusalFramesTests {
    private func encoded(
        _ error: RPCError, _ method: _MethodEntry, _ id: [UInt8], _ codec: TinyPBCodec,
        text: String
    ) throws -> [UInt8] {
        var output = ByteBuffer()
        let info = [UInt8](text.utf8)
        let start = method.withName {
            codec.begin(
                messageID: id.span.bytes, methodName: $0, errorCode: error.code.rawValue,
                errorInfo: info.span.bytes, in: &output)
        }
        try codec.finish(start, in: &output)
        return output.copyBytes()
    }

    @Test(
        "Are those of each method and reason, in any order",
        arguments: [
            TinyPBCodec(), TinyPBCodec(checksum: .required), TinyPBCodec(maxErrorInfoBytes: 7),
        ])
    func equal(codec: TinyPBCodec) throws {
        let methods = try RPCDispatcher(services: [TestService(), SynchronousService()])
            .table.entries
        var frames = RefusalFrames(codec: codec, methods: methods.count)
        for round in 0..<3 {
            for (index, method) in methods.enumerated() {
                for refusal in OverloadRefusal.allCases {
                    let id = [UInt8](repeating: 55, count: index * 20 + round)
                    var output = ByteBuffer()
                    frames.append(refusal, of: method, id.span.bytes, to: &output)
                    let error = refusal.error
                    let expected = try encoded(error, method, id, codec, text: error.message)
                    #expect(output.copyBytes() == expected)
                }
            }
        }
    }

    @Test("Have no text where the frame would be too long")
    func tooLong() throws {
        let method = try #require(
            try RPCDispatcher(services: [TestService()]).table.entries.first)
        let error = OverloadRefusal.rate.error
        let id: [UInt8] = [55]
        let expected = try encoded(error, method, id, TinyPBCodec(), text: "")
        let codec = TinyPBCodec(maxFrameBytes: expected.count + 1)
        var frames = RefusalFrames(codec: codec, methods: 100)
        var output = ByteBuffer()
        frames.append(.rate, of: method, id.span.bytes, to: &output)
        #expect(output.copyBytes() == expected)
    }
}
