import RocketBase
import RocketCodec
import Testing

@testable import RocketRPC

/// What a channel makes of the pb_data of errors.
@Suite("Received error status")
struct ChannelErrorStatusTests {
    private let detail = RPCErrorDetail(typeURL: "a/b", value: [7])

    private func payload(_ status: ErrorStatus) throws -> [UInt8] {
        var buffer = ByteBuffer()
        try status.write(to: &buffer, limitBytes: .max)
        return buffer.copyBytes()
    }

    /// The error of a call that was answered with that payload, and its controller.
    private func outcome(_ payload: [UInt8]) throws -> (RPCError?, RPCController) {
        let channel = try DrivenChannel.connected()
        let controller = RPCController()
        let call = channel.start { $0.outgoing.controller = controller }
        channel.last.reply(to: call.idText, code: .aborted, info: "again", payload: payload)
        return (call.outgoing.error, controller)
    }

    @Test("The code and the text are those of the frame, details those of the status")
    func details() throws {
        let status = ErrorStatus(
            code: 5, message: "other", details: [detail], trailingMetadata: ["x": "1"])
        let (error, call) = try outcome(try payload(status))
        #expect(error?.code == .aborted && error?.message == "again")
        #expect(error?.details == [detail])
        #expect(call.trailingMetadata == ["x": "1"])
    }

    @Test("A status that can't be read is ignored")
    func malformed() throws {
        let whole = try payload(ErrorStatus(code: 5, message: "", details: [detail]))
        let long = try payload(ErrorStatus(code: 5, message: String(repeating: "x", count: 8192)))
        for bytes in [[], [0], [0xFF], whole.dropLast(), long] as [[UInt8]] {
            let (error, call) = try outcome(bytes)
            #expect(error?.code == .aborted && error?.message == "again")
            #expect(error?.details.isEmpty == true && call.trailingMetadata.isEmpty)
        }
    }
}
