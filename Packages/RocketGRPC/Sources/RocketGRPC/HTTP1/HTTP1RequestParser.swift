import RocketBase

/// Reads requests of HTTP/1.1 from the bytes of a connection (RFC 9112). A value: the bytes that have not
/// been taken go in, the next part of a request comes out.
///
/// It is strict: what other servers or proxies read differently is a fault, so that no request hides
/// in another one. That are lines that end without CR, continued lines, white space around names,
/// several lengths, codings other than chunked.
struct HTTP1RequestParser {
    /// What the bytes begin with.
    enum Step: Hashable {
        /// A part that is not complete.
        case needMore
        /// Bytes that mean nothing.
        case skip(byteCount: Int)
        /// The line and the fields of a request.
        case head(HTTP1RequestHead, byteCount: Int)
        /// A part of its body.
        case body(Range<Int>)
        /// The end of the request.
        case end(byteCount: Int)
    }

    private enum State: Hashable {
        case head
        /// Bytes of the body that have not come.
        case body(Int)
        case chunkSize
        /// Bytes of the chunk that have not come.
        case chunk(Int)
        case chunkEnd
        /// Bytes of trailers so far.
        case trailers(Int)
    }

    private var state = State.head
    /// How far the bytes have been searched for the end of the head, and where the last line begins.
    private var searched = 0
    private var lineStart = 0
    private var hasSkipped = false

    /// A longer head is refused, and so are longer trailers.
    static let mostHeadBytes = 16 << 10
    /// A longer line with the size of a chunk is refused.
    private static let mostChunkLineBytes = 256

    init() {}

    /// Whether it is between two requests.
    var isIdle: Bool { state == .head && searched == 0 }

    /// Reads the front of the bytes; those that the step names are to be consumed.
    ///
    /// - Throws: a fault, after which nothing can be read.
    mutating func step(_ bytes: RawSpan) throws(HTTP1Fault) -> Step {
        switch state {
        case .head: return try head(bytes)
        case .body(0):
            state = .head
            return .end(byteCount: 0)
        case .body(let left):
            if bytes.isEmpty { return .needMore }
            let count = min(left, bytes.byteCount)
            state = .body(left - count)
            return .body(0..<count)
        case .chunkSize: return try chunkSize(bytes)
        case .chunk(let left):
            if bytes.isEmpty { return .needMore }
            let count = min(left, bytes.byteCount)
            state = count == left ? .chunkEnd : .chunk(left - count)
            return .body(0..<count)
        case .chunkEnd:
            guard let end = try Self.lineEnd(bytes, atMost: 2) else { return .needMore }
            if end > 0 { throw HTTP1Fault(400, "a chunk is longer than its size") }
            state = .chunkSize
            return .skip(byteCount: 2)
        case .trailers(let before): return try trailer(bytes, before)
        }
    }

    private mutating func head(_ bytes: RawSpan) throws(HTTP1Fault) -> Step {
        if bytes.isEmpty { return .needMore }
        // Some old clients send an empty line behind a body.
        if bytes.byte(0) == carriageReturn, !hasSkipped {
            guard bytes.byteCount > 1 else { return .needMore }
            if bytes.byte(1) == lineFeed {
                hasSkipped = true
                return .skip(byteCount: 2)
            }
        }
        if !isTokenByte(bytes.byte(0)) {
            throw HTTP1Fault(400, "the bytes are no request of HTTP/1.1")
        }
        guard let byteCount = try headEnd(bytes) else { return .needMore }
        let head = try HTTP1RequestHead(bytes.extracting(..<byteCount))
        (searched, lineStart, hasSkipped) = (0, 0, false)
        state =
            switch head.body {
            case .none: .body(0)
            case .length(let count): .body(count)
            case .chunked: .chunkSize
            }
        return .head(head, byteCount: byteCount)
    }

    /// The bytes of the head; nil: its end has not come.
    private mutating func headEnd(_ bytes: RawSpan) throws(HTTP1Fault) -> Int? {
        while searched < bytes.byteCount, searched < Self.mostHeadBytes {
            let index = searched
            searched += 1
            if bytes.byte(index) != lineFeed { continue }
            let isEmpty = index == lineStart + 1 && bytes.byte(lineStart) == carriageReturn
            if isEmpty || index == lineStart { return index + 1 }
            lineStart = index + 1
        }
        if searched < Self.mostHeadBytes { return nil }
        throw lineStart == 0
            ? HTTP1Fault(414, "the line of the request has more than \(Self.mostHeadBytes) bytes")
            : HTTP1Fault(431, "the header fields have more than \(Self.mostHeadBytes) bytes")
    }

    // MARK: Chunks

    private mutating func chunkSize(_ bytes: RawSpan) throws(HTTP1Fault) -> Step {
        guard let end = try Self.lineEnd(bytes, atMost: Self.mostChunkLineBytes) else {
            return .needMore
        }
        var size = 0
        var index = 0
        while index < end, let digit = hexValue(bytes.byte(index)) {
            // More would not fit, and nobody sends so much.
            if index == 12 { throw HTTP1Fault(400, "a chunk is too long") }
            size = size << 4 | Int(digit)
            index += 1
        }
        // An extension, which means nothing.
        while index < end, index > 0, bytes.byte(index) == UInt8(ascii: " ") { index += 1 }
        if index == 0 || index < end && bytes.byte(index) != UInt8(ascii: ";") {
            throw HTTP1Fault(400, "the size of a chunk is no hexadecimal number")
        }
        state = size == 0 ? .trailers(0) : .chunk(size)
        return .skip(byteCount: end + 2)
    }

    /// Drops a line behind the last chunk; the empty one is the end.
    private mutating func trailer(_ bytes: RawSpan, _ before: Int) throws(HTTP1Fault) -> Step {
        let room = Self.mostHeadBytes - before
        guard let end = try Self.lineEnd(bytes, atMost: room) else { return .needMore }
        if end == 0 {
            state = .head
            return .end(byteCount: 2)
        }
        state = .trailers(before + end + 2)
        return .skip(byteCount: end + 2)
    }

    /// Where the line at the front ends; nil: its end has not come.
    private static func lineEnd(_ bytes: RawSpan, atMost limit: Int) throws(HTTP1Fault) -> Int? {
        for index in 0..<min(bytes.byteCount, limit) {
            switch bytes.byte(index) {
            case carriageReturn:
                guard index + 1 < bytes.byteCount else { return nil }
                if bytes.byte(index + 1) == lineFeed { return index }
                throw HTTP1Fault(400, "a line does not end with CR LF")
            case lineFeed: throw HTTP1Fault(400, "a line does not end with CR LF")
            default: break
            }
        }
        if bytes.byteCount < limit { return nil }
        throw HTTP1Fault(400, "a line of a chunked body is too long")
    }
}
