import RocketBase

/// How the messages of a call of Connect are encoded.
enum ConnectCodec: Hashable, Sendable {
    case json
    case proto

    /// The content-type of unary requests and responses.
    var contentType: String {
        switch self {
        case .json: "application/json"
        case .proto: "application/proto"
        }
    }

    /// The content-type of Connect's streams.
    var streamContentType: String {
        switch self {
        case .json: "application/connect+json"
        case .proto: "application/connect+proto"
        }
    }
}

/// A value of content-type that is one of Connect's.
enum ConnectContentType: Hashable, Sendable {
    /// A body that is a message.
    case unary(ConnectCodec)
    /// Messages in Connect's framing, which this server does not serve.
    case stream(ConnectCodec)

    /// What a server takes: the value of accept-post.
    static let accepted = "application/json, application/proto"

    /// Reads a value in any case, with or without parameters; a charset must be UTF-8.
    ///
    /// - Returns: nil for another type.
    init?(_ value: RawSpan) {
        var end = 0
        while end < value.byteCount, value.byte(end) != UInt8(ascii: ";") { end += 1 }
        guard Self.isUTF8(value.extracting(min(end + 1, value.byteCount)...)) else { return nil }
        while end > 0, value.byte(end - 1) == UInt8(ascii: " ") { end -= 1 }
        let type = value.extracting(..<end)
        if ContentType.equals(type, "application/json") {
            self = .unary(.json)
        } else if ContentType.equals(type, "application/proto") {
            self = .unary(.proto)
        } else if ContentType.equals(type, "application/connect+json") {
            self = .stream(.json)
        } else if ContentType.equals(type, "application/connect+proto") {
            self = .stream(.proto)
        } else {
            return nil
        }
    }

    private static func isUTF8(_ parameters: RawSpan) -> Bool {
        if parameters.byteCount == 0 { return true }
        for parameter in parameters.text.lowercased().split(separator: ";") {
            let parts = parameter.split(separator: "=", maxSplits: 1)
            guard let name = parts.first, name.filter({ $0 != " " }) == "charset" else { continue }
            let value = parts.count == 2 ? parts[1].filter { $0 != " " && $0 != "\"" } : ""
            if value != "utf-8" { return false }
        }
        return true
    }
}
