import RocketBase
import RocketCodec
import RocketSystem
import Testing

@_spi(Transport) @testable import RocketRPC

/// One connection of a C++ server, as docs/wire-format.md describes it: takes what one read brings,
/// and returns what it writes.
protocol FakeOriginal {
    mutating func read(_ bytes: [UInt8]) -> [UInt8]
}

extension FakeOriginal {
    /// Reads all that the channel has written since the last time, in one read, and answers it.
    ///
    /// - Returns: the bytes that were read.
    @discardableResult
    mutating func serve(_ transport: FakeTransport) -> [UInt8] {
        let bytes = transport.takeBytes()
        if bytes.isEmpty { return bytes }
        let answer = read(bytes)
        if !answer.isEmpty { transport.receive(answer) }
        return bytes
    }
}

/// The C++ rocket server, as published.
struct FakeRocketServer: FakeOriginal {
    /// All replies of the connection so far, one after another.
    private var replies: [UInt8] = []
    /// Reads that were lost.
    private(set) var lostReads = 0
    /// Whether bytes of a lost read are left in its buffer, so that it finds no frame any more.
    private var isDeaf = false
    private(set) var requests = 0

    mutating func read(_ bytes: [UInt8]) -> [UInt8] {
        if bytes.count >= 128 {
            lostReads += 1
            isDeaf = true
        }
        if isDeaf { return [] }
        var isAnswered = false
        for request in OriginalFrame.readAll(bytes) {
            requests += 1
            #expect(request.messageID.utf8.count < 100 && request.info.utf8.count < 512)
            let parts = request.method.split(separator: ".", maxSplits: 1)
            // It splits at the first dot, and does not answer what it does not know.
            guard parts.count == 2, parts[0] == "Order", parts[1] == "makeOrder" else { continue }
            replies += OriginalFrame.reply(to: request, payload: OriginalFrame.orderMade)
            isAnswered = true
        }
        // Every earlier reply is repeated before the new one.
        return isAnswered ? replies : []
    }
}

/// The C++ tinyrpc server.
struct FakeTinyRPCServer: FakeOriginal {
    private var unread: [UInt8] = []
    private(set) var requests = 0
    /// What is written into check_sum: 1; by tinyrpc-java 0.
    var checksum: UInt8 = 1

    mutating func read(_ bytes: [UInt8]) -> [UInt8] {
        unread += bytes
        let found = OriginalFrame.readAll(unread)
        unread.removeFirst(found.reduce(0) { $0 + $1.byteCount })
        requests += found.count
        return found.flatMap { request in
            #expect(request.messageID.utf8.count < 50 && request.info.utf8.count < 512)
            if request.method == "Order.makeOrder" {
                return OriginalFrame.reply(
                    to: request, payload: OriginalFrame.orderMade, checksum: checksum)
            }
            return OriginalFrame.reply(
                to: request, code: 10_000_008, info: "service not found", checksum: checksum)
        }
    }
}

/// Frames, encoded and decoded without the project's codec.
struct OriginalFrame {
    let messageID, method, info: String
    let byteCount: Int

    /// `{res_info:"OK", order_id:"20230514"}`
    static let orderMade = bytes("12024f4b1a083230323330353134")
    /// The golden request and response of docs/wire-format.md, as recorded.
    static let request = bytes(
        "020000003a0000000839393939383838380000000f4f726465722e6d616b654f72646572"
            + "0000000000000000086412056170706c650000000103")
    static let response = bytes(
        "020000003f0000000839393939383838380000000f4f726465722e6d616b654f72646572"
            + "000000000000000012024f4b1a0832303233303531340000000103")

    static func bytes(_ digits: String) -> [UInt8] {
        let digits = [UInt8](digits.utf8)
        return stride(from: 0, to: digits.count, by: 2).compactMap { index in
            UInt8(String(decoding: digits[index...(index + 1)], as: UTF8.self), radix: 16)
        }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> Int {
        bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) }
    }

    private static func bytes(_ number: Int) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
    }

    /// All whole frames.
    static func readAll(_ bytes: [UInt8]) -> [OriginalFrame] {
        var (frames, rest) = ([OriginalFrame](), bytes[...])
        while rest.count >= 26, rest.first == 0x02 {
            let length = number(rest.dropFirst())
            guard length >= 26, rest.count >= length else { break }
            var fields = rest.prefix(length).dropFirst(5)
            func field() -> String {
                let count = number(fields)
                defer { fields = fields.dropFirst(4 + count) }
                return String(decoding: fields.dropFirst(4).prefix(count), as: UTF8.self)
            }
            let (id, method) = (field(), field())
            fields = fields.dropFirst(4)
            frames.append(
                OriginalFrame(messageID: id, method: method, info: field(), byteCount: length))
            rest = rest.dropFirst(length)
        }
        return frames
    }

    static func reply(
        to request: OriginalFrame, code: Int = 0, info: String = "", payload: [UInt8] = [],
        checksum: UInt8 = 1
    ) -> [UInt8] {
        func field(_ text: String) -> [UInt8] { bytes(text.utf8.count) + text.utf8 }
        let fields =
            field(request.messageID) + field(request.method) + bytes(code) + field(info) + payload
        return [0x02] + bytes(fields.count + 10) + fields + [0, 0, 0, checksum, 0x03]
    }
}
