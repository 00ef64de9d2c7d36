import RocketBase
import RocketCodec

/// What precedes the messages that one chat server sends to the others: docs/wire-format.md, "Chat
/// between servers". A value.
struct BackplaneHeader: Equatable {
    enum Kind: UInt8 {
        /// Messages of the server's sessions follow.
        case messages = 1
        /// The server is there, and has sent so many messages in all.
        case announcement
        /// As an announcement, of a server that wants to know the others.
        case hello
        /// As an announcement, of a server that ends.
        case farewell
    }

    var kind: Kind
    var server: ChatServerID
    /// The number of the first message that follows, or of the next message of the server. Counted from
    /// 0 over the life of the server.
    var number: UInt64
    /// How many messages follow.
    var count = 0
    /// The name of the server; empty before messages.
    var name = ""

    /// The most bytes of a name; one that is configured has at most 100, so that what makes it
    /// different from others fits behind it.
    static let maxNameBytes = 200
    private static let version: UInt8 = 1
    private static let fixedBytes = 1 + 1 + 8 + 8 + 8 + 4 + 1

    var byteCount: Int { Self.fixedBytes + name.utf8.count }

    func encode(into buffer: inout ByteBuffer) {
        buffer.append(byte: Self.version)
        buffer.append(byte: kind.rawValue)
        buffer.append(bigEndian: server.began)
        buffer.append(bigEndian: server.random)
        buffer.append(bigEndian: number)
        buffer.append(bigEndian: UInt32(truncatingIfNeeded: count))
        buffer.append(byte: UInt8(truncatingIfNeeded: name.utf8.count))
        buffer.append(utf8: name)
    }

    /// Reads the header at the start of what a server has sent.
    ///
    /// - Returns: the header, and where the messages begin; nil: it is none of this version, or its
    ///   numbers are impossible.
    static func decode(_ bytes: RawSpan) -> (header: BackplaneHeader, messages: Int)? {
        let bytes = Span<UInt8>(_bytes: bytes)
        guard bytes.count >= fixedBytes, bytes[0] == version, let kind = Kind(rawValue: bytes[1])
        else { return nil }
        func integer(_ range: Range<Int>) -> UInt64 {
            range.reduce(0) { $0 << 8 | UInt64(bytes[$1]) }
        }
        let count = Int(integer(26..<30))
        let nameEnd = fixedBytes + Int(bytes[30])
        let number = integer(18..<26)
        guard nameEnd <= bytes.count, number <= UInt64.max - UInt64(count),
            (kind == .messages) == (count > 0)
        else { return nil }
        let name = String(
            validating: (fixedBytes..<nameEnd).map { bytes[$0] }, as: UTF8.self)
        guard let name, isName(name) || (name.isEmpty && kind == .messages) else { return nil }
        let header = BackplaneHeader(
            kind: kind,
            server: ChatServerID(began: integer(2..<10), random: integer(10..<18)),
            number: number, count: count, name: name)
        return (header, nameEnd)
    }

    /// Whether a text may be a server's name: it is a part of the names of its clients.
    static func isName(_ text: String) -> Bool {
        (1...maxNameBytes).contains(text.utf8.count)
            && text.unicodeScalars.allSatisfy {
                $0.properties.isAlphabetic || ("0"..."9").contains($0)
                    || "._-".unicodeScalars.contains($0)
            }
    }
}

extension ChatMessage {
    /// Counts whole messages of valid UTF-8.
    ///
    /// - Returns: nil if the bytes are anything else.
    static func count(in bytes: RawSpan) -> Int? {
        var rest = bytes
        var count = 0
        let codec = LengthFieldCodec(maxPayloadBytes: .max)
        while !rest.isEmpty {
            guard case .frame(let text, let size)? = try? codec.step(rest),
                encodingError(in: rest.extracting(text)) == nil
            else { return nil }
            rest = rest.extracting(size...)
            count += 1
        }
        return count
    }

    /// Returns how many bytes of whole messages, at least one and at most `limit` bytes unless the
    /// first one is longer, are at the start, and how many messages they are.
    static func prefix(of bytes: RawSpan, atMost limit: Int) -> (byteCount: Int, count: Int) {
        var end = 0
        var count = 0
        let codec = LengthFieldCodec(maxPayloadBytes: .max)
        while case .frame(_, let size)? = try? codec.step(bytes.extracting(end...)),
            count == 0 || end + size <= limit
        {
            end += size
            count += 1
        }
        return (end, count)
    }
}
