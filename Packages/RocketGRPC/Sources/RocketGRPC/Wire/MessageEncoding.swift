import RocketBase

/// How the messages of one direction of a call are compressed.
enum MessageEncoding: Hashable, Sendable {
    /// Not at all.
    case identity
    /// By the encoding with that number of `MessageEncodings`.
    case number(Int)
}

/// The encodings of messages that a server or a channel has. A value; any thread.
struct MessageEncodings: Sendable {
    /// Best first, without `identity`; numbers of encodings are positions in it.
    let names: [String]
    private let bytes: [[UInt8]]
    /// The value of grpc-accept-encoding.
    let text: String

    /// More are not announced.
    static let most = 8

    init(_ names: [String] = []) {
        self.names = Array(names.prefix(Self.most))
        bytes = self.names.map { [UInt8]($0.utf8) }
        text = (["identity"] + self.names).joined(separator: ",")
    }

    /// The encoding of that name; nil for one that this side does not have.
    func find(_ name: RawSpan) -> MessageEncoding? {
        if name.equals("identity") { return .identity }
        for (number, known) in bytes.enumerated() where equals(name, known) {
            return .number(number)
        }
        return nil
    }

    private func equals(_ name: RawSpan, _ known: [UInt8]) -> Bool {
        if name.byteCount != known.count { return false }
        for index in 0..<known.count where name.byte(index) != known[index] { return false }
        return true
    }

    /// Parses a value of grpc-accept-encoding, and leaves out names that this side does not have.
    func accepted(_ list: RawSpan) -> AcceptedEncodings {
        var found = AcceptedEncodings()
        if names.isEmpty { return found }
        var start = 0
        for index in 0...list.byteCount
        where index == list.byteCount || list.byte(index) == UInt8(ascii: ",") {
            let name = list.extracting(list.trimmed(start..<index))
            if case .number(let number)? = find(name) { found.insert(number) }
            start = index + 1
        }
        return found
    }
}

/// The numbers of the encodings that a peer reads, beside `identity`. A value.
struct AcceptedEncodings: Hashable, Sendable {
    private var bits: UInt16 = 0

    mutating func insert(_ number: Int) { bits |= 1 << UInt16(number) }

    /// The best one: the first that this side names.
    var best: MessageEncoding {
        bits == 0 ? .identity : .number(bits.trailingZeroBitCount)
    }

    func contains(_ encoding: MessageEncoding) -> Bool {
        switch encoding {
        case .identity: true
        case .number(let number): bits & 1 << UInt16(number) != 0
        }
    }
}
