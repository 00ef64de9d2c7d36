import RocketBase
import RocketCodec
import RocketRPC
import SwiftProtobuf

/// Encodes and decodes frames on behalf of a peer.
struct FrameKit {
    struct NoWholeFrame: Error {}

    struct Answer: Equatable {
        let id: String
        let method: String
        let code: RPCErrorCode
        let info: String
        let payload: [UInt8]
    }

    let codec = TinyPBCodec()

    func frame(
        id: String = "99998888", _ method: String = "test.v1.Test.echo", code: Int32 = 0,
        info: String = "", payload: [UInt8] = []
    ) throws -> [UInt8] {
        var buffer = ByteBuffer()
        let (id, method, info) = ([UInt8](id.utf8), [UInt8](method.utf8), [UInt8](info.utf8))
        let start = codec.begin(
            messageID: id.span.bytes, methodName: method.span.bytes, errorCode: code,
            errorInfo: info.span.bytes, in: &buffer)
        buffer.append(payload)
        try codec.finish(start, in: &buffer)
        return buffer.copyBytes()
    }

    /// Decodes exactly one frame.
    func parse(_ bytes: [UInt8]) throws -> Answer {
        guard case .frame(let frame, bytes.count) = try codec.step(bytes.span.bytes) else {
            throw NoWholeFrame()
        }
        return answer(frame, bytes[...])
    }

    /// Decodes all frames.
    func parseAll(_ bytes: [UInt8]) throws -> [Answer] {
        var (answers, offset) = ([Answer](), 0)
        while offset < bytes.count {
            let rest = bytes.span.bytes.extracting(offset...)
            guard case .frame(let frame, let count) = try codec.step(rest) else {
                throw NoWholeFrame()
            }
            answers.append(answer(frame, bytes[offset..<offset + count]))
            offset += count
        }
        return answers
    }

    /// - Parameter bytes: begin with the frame.
    private func answer(_ frame: TinyPBFrame, _ bytes: ArraySlice<UInt8>) -> Answer {
        func part(_ range: Range<Int>) -> ArraySlice<UInt8> {
            bytes.dropFirst(range.lowerBound).prefix(range.count)
        }
        func text(_ range: Range<Int>) -> String { String(decoding: part(range), as: UTF8.self) }
        return Answer(
            id: text(frame.messageID), method: text(frame.methodName),
            code: RPCErrorCode(rawValue: frame.errorCode), info: text(frame.errorInfo),
            payload: [UInt8](part(frame.payload)))
    }

    func text(_ text: String) throws -> [UInt8] { try Text(text).serializedBytes() }
}
