import RocketBase

/// The line and the fields of a request of HTTP/1.1, as places in the bytes that they were read from. A
/// value.
struct HTTP1RequestHead: Hashable {
    /// A field: its name, as it was sent, and its value without white space at the ends.
    struct Field: Hashable {
        var name: Range<Int>
        var value: Range<Int>
    }

    enum Body: Hashable {
        case none
        case length(Int)
        case chunked
    }

    fileprivate(set) var method = 0..<0
    fileprivate(set) var target = 0..<0
    fileprivate(set) var fields: [Field] = []
    /// The value of Host; nil: an old client sends none.
    fileprivate(set) var host: Range<Int>?
    fileprivate(set) var body = Body.none
    /// Whether the client means to send further requests.
    fileprivate(set) var keepsAlive = true
    /// Whether the client waits for `100 Continue` before it sends the body.
    fileprivate(set) var expectsContinue = false

    /// More fields are refused.
    static let mostFields = 100

    /// Reads a head that ends with its empty line; no line ends otherwise than by CR LF.
    ///
    /// - Throws: what makes the request one that peers may read differently, or that is not served.
    init(_ bytes: RawSpan) throws(HTTP1Fault) {
        var line = try Self.line(bytes, from: 0)
        let isOld = try readRequestLine(bytes.extracting(line))
        var framing = Framing()
        while true {
            line = try Self.line(bytes, from: line.upperBound + 2)
            if line.isEmpty { break }
            try addField(bytes, line, &framing)
        }
        if isOld {
            keepsAlive = framing.isKeepAlive && !framing.isClose
            if framing.isChunked { throw HTTP1Fault(400, "HTTP/1.0 has no transfer-encoding") }
            // The client does not know 100 Continue.
            expectsContinue = false
        } else {
            keepsAlive = !framing.isClose
            if host == nil { throw HTTP1Fault(400, "the field Host is missing") }
        }
        if framing.isChunked {
            // Of the two lengths another server on the way may have taken the other one.
            if framing.length != nil {
                throw HTTP1Fault(400, "there are both content-length and transfer-encoding")
            }
            body = .chunked
        } else if let length = framing.length, length > 0 {
            body = .length(length)
        }
    }

    /// What fields say of the body and the connection.
    private struct Framing {
        var length: Int?
        var isChunked = false
        var isClose = false
        var isKeepAlive = false
    }

    /// The line from there on, without its end.
    private static func line(_ bytes: RawSpan, from start: Int) throws(HTTP1Fault) -> Range<Int> {
        var end = start
        while end + 1 < bytes.byteCount {
            let byte = bytes.byte(end)
            if byte == carriageReturn, bytes.byte(end + 1) == lineFeed { return start..<end }
            if byte == carriageReturn || byte == lineFeed || byte == 0 { break }
            end += 1
        }
        throw HTTP1Fault(400, "a line does not end with CR LF")
    }

    /// - Returns: whether it is of HTTP/1.0.
    private mutating func readRequestLine(_ line: RawSpan) throws(HTTP1Fault) -> Bool {
        var end = 0
        while end < line.byteCount, line.byte(end) != space { end += 1 }
        method = 0..<end
        let start = end + 1
        end = min(start, line.byteCount)
        while end < line.byteCount, (0x21...0x7E).contains(line.byte(end)) { end += 1 }
        target = min(start, end)..<end
        guard line.extracting(method).isToken, !target.isEmpty, end < line.byteCount,
            line.byte(end) == space
        else { throw HTTP1Fault(400, "the request line is not METHOD TARGET HTTP/1.1") }
        let version = line.extracting((end + 1)...)
        if version.equals("HTTP/1.1") { return false }
        if version.equals("HTTP/1.0") { return true }
        guard version.hasPrefix("HTTP/") else {
            throw HTTP1Fault(400, "the request line is not METHOD TARGET HTTP/1.1")
        }
        throw HTTP1Fault(
            505,
            "this address serves HTTP/1.1 only; HTTP/2 is served on the addresses of the server")
    }

    private mutating func addField(
        _ bytes: RawSpan, _ line: Range<Int>, _ framing: inout Framing
    ) throws(HTTP1Fault) {
        if fields.count == Self.mostFields {
            throw HTTP1Fault(431, "the request has more than \(Self.mostFields) header fields")
        }
        var colon = line.lowerBound
        while colon < line.upperBound, bytes.byte(colon) != UInt8(ascii: ":") { colon += 1 }
        let name = line.lowerBound..<colon
        // White space before the colon, or at the start of a line, is read differently by others.
        guard colon < line.upperBound, bytes.extracting(name).isToken else {
            throw HTTP1Fault(400, "a header field is not NAME: VALUE")
        }
        let value = bytes.trimmingBlanks((colon + 1)..<line.upperBound)
        for index in value
        where bytes.byte(index) < 0x20 && bytes.byte(index) != tab
            || bytes.byte(index) == 0x7F
        {
            throw HTTP1Fault(400, "the value of a header field has a control character")
        }
        fields.append(Field(name: name, value: value))
        try read(bytes.extracting(name), bytes.extracting(value), value, &framing)
    }

    /// Reads the fields that are the protocol's own.
    private mutating func read(
        _ name: RawSpan, _ value: RawSpan, _ range: Range<Int>, _ framing: inout Framing
    ) throws(HTTP1Fault) {
        if ContentType.equals(name, "host") {
            if host != nil { throw HTTP1Fault(400, "there is more than one field Host") }
            host = range
        } else if ContentType.equals(name, "content-length") {
            guard framing.length == nil, let length = value.decimal else {
                throw HTTP1Fault(400, "the content-length is not one number")
            }
            framing.length = length
        } else if ContentType.equals(name, "transfer-encoding") {
            if framing.isChunked || !ContentType.equals(value, "chunked") {
                throw HTTP1Fault(501, "the only transfer-encoding that is served is chunked")
            }
            framing.isChunked = true
        } else if ContentType.equals(name, "connection") {
            for option in value.text.lowercased().split(separator: ",") {
                let option = option.filter { $0 != " " && $0 != "\t" }
                if option == "close" { framing.isClose = true }
                if option == "keep-alive" { framing.isKeepAlive = true }
            }
        } else if ContentType.equals(name, "expect") {
            guard ContentType.equals(value, "100-continue") else {
                throw HTTP1Fault(417, "the only expectation that is met is 100-continue")
            }
            expectsContinue = true
        }
    }
}

/// What is wrong with the bytes of a request: it is answered with this status, and nothing behind it is
/// read. A value.
struct HTTP1Fault: Error, Hashable {
    var status: Int
    var text: String

    init(_ status: Int, _ text: String) {
        self.status = status
        self.text = text
    }
}

let carriageReturn = UInt8(ascii: "\r")
let lineFeed = UInt8(ascii: "\n")
private let space = UInt8(ascii: " ")
private let tab = UInt8(ascii: "\t")

extension RawSpan {
    /// Whether the bytes are a token of HTTP (RFC 9110, 5.6.2).
    var isToken: Bool {
        for index in 0..<byteCount where !isTokenByte(byte(index)) { return false }
        return byteCount > 0
    }

    /// Returns the range without the spaces and tabs at its ends.
    fileprivate func trimmingBlanks(_ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, byte(start) == space || byte(start) == tab { start += 1 }
        while start < end, byte(end - 1) == space || byte(end - 1) == tab { end -= 1 }
        return start..<end
    }
}

/// Whether a byte may be in a token of HTTP.
func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
}
