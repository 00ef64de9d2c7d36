import RocketBase
import SwiftProtobuf

@testable import RocketRPC

/// Compares Rocket's codec with swift-protobuf's for one message type.
struct CodingCase<M: Message & Sendable>: Sendable {
    let coding: _RPCMessageCoding<M>

    init(_ coding: _RPCMessageCoding<M>) { self.coding = coding }

    /// Describes how the two codecs differ in decoding these bytes; nil if they agree.
    func difference(decoding bytes: [UInt8]) -> String? {
        let own: Result<M, any Error> = Result {
            try unsafe coding.message(from: bytes.span.bytes)
        }
        let theirs: Result<M, any Error> = Result { try M(serializedBytes: bytes) }
        switch (own, theirs) {
        case (.failure(let a), .failure(let b)):
            return "\(a)" == "\(b)" ? nil : "refused with \(a), by swift-protobuf with \(b)"
        case (.success(let a), .success(let b)):
            guard let left = Self.canonical(a), let right = Self.canonical(b) else {
                return "can't be encoded again"
            }
            if left != right { return "\(left) is not \(right)" }
            return difference(encoding: a)
        default: return "\(own) is not \(theirs)"
        }
    }

    /// Describes how the two codecs differ in encoding this message; nil if they agree.
    func difference(encoding message: M) -> String? {
        var buffer = ByteBuffer()
        buffer.append([1, 2, 3])
        let own: Result<Void, any Error> = Result { try coding.append(message, to: &buffer) }
        let theirs: Result<[UInt8], any Error> = Result { try message.serializedBytes() }
        switch (own, theirs) {
        case (.failure, .failure): return buffer.copyBytes() == [1, 2, 3] ? nil : "bytes are left"
        case (.success, .success(let bytes)):
            let ours = buffer.copyBytes()
            return ours == [1, 2, 3] + bytes ? nil : "wrote \(ours), swift-protobuf \(bytes)"
        default: return "\(own) is not \(theirs)"
        }
    }

    /// The bytes to compare: NaN is not equal to itself, and maps have no order.
    private static func canonical(_ message: M) -> [UInt8]? {
        var options = BinaryEncodingOptions()
        options.useDeterministicOrdering = true
        return try? message.serializedBytes(partial: true, options: options)
    }
}

/// Codings like those of generated code.
enum CodingCases {
    static let all3 = CodingCase<Kinds3_All>(
        .init(
            decode: { try $0.decodeMessage(decoder: &$1) },
            encode: { try $0.traverse(visitor: &$1) }))
    static let whole2 = CodingCase<Kinds2_Whole>(
        .init(
            decode: { try $0.decodeMessage(decoder: &$1) },
            encode: { try $0.traverse(visitor: &$1) }))
    static let open2 = CodingCase<Kinds2_Open>(
        .init(
            decode: { try $0.decodeMessage(decoder: &$1) },
            encode: { try $0.traverse(visitor: &$1) }))
}
