import RocketBase
import RocketCodec
import RocketHTTP2

/// A response of Connect's unary protocol, for either version of HTTP. A value.
struct ConnectResponse: Hashable, Sendable {
    /// A header field, its name in lower case.
    struct Field: Hashable, Sendable {
        var name: String
        var value: String
    }

    private(set) var status: Int
    private(set) var fields: [Field] = []
    private(set) var body: [UInt8] = []

    /// The response to a call that has succeeded.
    ///
    /// - Parameter encoding: what `body` is compressed by; nil: nothing.
    init(_ codec: ConnectCodec, _ body: [UInt8], encoding: String?) {
        self.init(status: 200, type: codec.contentType, encoding: encoding, body)
    }

    /// The response to a call that has failed.
    ///
    /// - Parameter status: overrides the status of HTTP that belongs to the code.
    init(_ failure: WireFailure, _ details: [RPCErrorDetail] = [], httpStatus: Int? = nil) {
        self.init(
            status: httpStatus ?? ConnectCode(failure.code).httpStatus,
            type: ConnectCodec.json.contentType, ConnectError.body(failure, details))
        // Connect has fewer codes.
        if RPCErrorCode(grpcStatus: failure.code.grpcStatus) != failure.code {
            add(ExactCode.name, "\(failure.code.rawValue)")
        }
    }

    /// The response to a request that is none of Connect: a status, and fields that say what would be
    /// taken.
    ///
    /// - Parameter types: what is taken by content-type.
    init(httpStatus: Int, types: String) {
        status = httpStatus
        switch httpStatus {
        case 405: add("allow", "POST")
        case 415: add("accept-post", types)
        default: break
        }
    }

    private init(status: Int, type: String, encoding: String? = nil, _ body: [UInt8]) {
        self.status = status
        self.body = body
        add("content-type", type)
        if let encoding { add("content-encoding", encoding) }
        add("content-length", "\(body.count)")
    }

    /// The response to a request of Connect's streams: those have status 200 also where they fail.
    static func streamRefused(_ codec: ConnectCodec) -> ConnectResponse {
        ConnectResponse(
            status: 200, type: codec.streamContentType,
            ConnectError.endOfStream(ConnectCall.streamsRefused))
    }

    /// Adds a field.
    mutating func add(_ name: String, _ value: String) {
        fields.append(Field(name: name, value: value))
    }

    /// Adds metadata: `leading` by its names, `trailing` behind `trailer-`.
    mutating func add(leading: Metadata, trailing: Metadata) {
        for (name, value) in MetadataHeaders.fields(leading) where !Self.isReserved(name) {
            add(name, value)
        }
        for (name, value) in MetadataHeaders.fields(trailing) where !Self.isReserved(name) {
            add("trailer-" + name, value)
        }
    }

    /// Whether a name is HTTP's or Connect's own.
    private static func isReserved(_ name: String) -> Bool {
        name.hasPrefix("connect-") || name == "content-encoding" || name == "accept-encoding"
    }

    /// The fields as HTTP/2 has them.
    var headers: HTTP2Headers {
        var headers = HTTP2Headers([":status": "\(status)"])
        for field in fields { headers.add(field.name, field.value) }
        return headers
    }
}

extension ConnectCall {
    /// The answer to calls of methods with streams, and to Connect's streams.
    static let streamsRefused = WireFailure(
        .unimplemented, "methods with streams are served by gRPC only, not by Connect")
}
