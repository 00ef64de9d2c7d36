import RocketBase
import RocketCodec

/// The encodings that this side has, and the lines of metadata that name them. A value; any thread.
struct CompressionEncodings: Sendable {
    /// Best first.
    let names: [String]
    /// `accept-encoding=zstd,gzip`, with the line feed.
    let announcement: [UInt8]
    /// `encoding=zstd` of each, with the line feed.
    let lines: [[UInt8]]

    /// More are not announced.
    static let most = 8

    init(_ names: [String]) {
        self.names = Array(names.prefix(Self.most))
        announcement = [UInt8]("accept-encoding=\(self.names.joined(separator: ","))\n".utf8)
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
        let name = MetadataBlock.text(of: range, in: info) ?? ""
        if name == "identity" { return .identity }
        return names.firstIndex(of: name).map { .number($0) } ?? .unknown(name)
    }

    /// The best of these encodings that a block names in `accept-encoding`; nil: it names none.
    func accepted(by info: RawSpan) -> Int? {
        guard let range = MetadataBlock.value(of: "accept-encoding", in: info),
            let list = MetadataBlock.text(of: range, in: info)
        else { return nil }
        let accepted = list.split(separator: ",").map { $0.filter { $0 != " " } }
        return names.firstIndex { accepted.contains($0) }
    }

    /// Appends a block with one more line.
    ///
    /// - Parameter info: a block, or nothing.
    static func append(_ info: RawSpan, adding line: [UInt8], to buffer: inout ByteBuffer) {
        buffer.append(utf8: "rkm1\n")
        buffer.append(line)
        if info.byteCount > 5 { buffer.append(info.extracting(droppingFirst: 5)) }
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
