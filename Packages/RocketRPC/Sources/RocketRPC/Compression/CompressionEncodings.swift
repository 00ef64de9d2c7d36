import RocketBase
import RocketCodec

/// The encodings that this side has, and the lines of metadata that name them. A value; any thread.
struct CompressionEncodings: Sendable {
    /// Best first.
    let names: [String]
    private let nameBytes: [[UInt8]]
    /// `accept-encoding=zstd,gzip`, and the same of `accept-stream-encoding`, with line feeds.
    let announcement: [UInt8]
    /// `encoding=zstd` of each, with the line feed.
    let lines: [[UInt8]]

    /// More are not announced.
    static let most = 8

    init(_ names: [String]) {
        self.names = Array(names.prefix(Self.most))
        nameBytes = self.names.map { [UInt8]($0.utf8) }
        let list = self.names.joined(separator: ",")
        announcement = [UInt8]("accept-encoding=\(list)\naccept-stream-encoding=\(list)\n".utf8)
        lines = self.names.map { [UInt8]("encoding=\($0)\n".utf8) }
    }

    /// The encoding that a frame's payload has.
    enum Found: Equatable {
        /// None: it is not compressed.
        case identity
        case number(Int)
        /// One that this side does not have.
        case unknown(String)
    }

    func encoding(of info: RawSpan) -> Found {
        guard let range = MetadataBlock.value(of: "encoding", in: info) else { return .identity }
        let value = info.extracting(range)
        for (number, name) in nameBytes.enumerated() where StreamFrame.matches(value, name) {
            return .number(number)
        }
        // Rare: a name may be percent-encoded, too.
        let name = MetadataBlock.text(of: range, in: info) ?? ""
        if name == "identity" { return .identity }
        return names.firstIndex(of: name).map { .number($0) } ?? .unknown(name)
    }

    /// The best of these encodings that a block names; nil: it names none.
    ///
    /// - Parameter key: `accept-encoding`, or `accept-stream-encoding` for the messages of streams.
    func accepted(by info: RawSpan, _ key: StaticString = "accept-encoding") -> Int? {
        guard let range = MetadataBlock.value(of: key, in: info),
            let list = MetadataBlock.text(of: range, in: info)
        else { return nil }
        let accepted = list.split(separator: ",").map { $0.filter { $0 != " " } }
        return names.firstIndex { accepted.contains($0) }
    }

    /// Appends a block without its lines of `encoding`.
    static func appendWithoutEncoding(_ info: RawSpan, to buffer: inout ByteBuffer) {
        var start = 0
        for index in 0..<info.byteCount
        where info.byte(index) == UInt8(ascii: "\n") {
            let line = info.extracting(start..<index + 1)
            if !isEncoding(line) { buffer.append(line) }
            start = index + 1
        }
        buffer.append(info.extracting(droppingFirst: start))
    }

    private static let key: [UInt8] = [UInt8]("encoding=".utf8)

    private static func isEncoding(_ line: RawSpan) -> Bool {
        if line.byteCount < key.count { return false }
        for index in 0..<key.count
        where line.byte(index) != key[index] { return false }
        return true
    }
}
