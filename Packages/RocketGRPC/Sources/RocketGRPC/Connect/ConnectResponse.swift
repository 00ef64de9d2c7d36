import RocketBase
import RocketCodec
import RocketHTTP2

/// A response of Connect's unary protocol. A value.
struct ConnectResponse: Hashable, Sendable {
    var headers: HTTP2Headers
    var body: [UInt8]

    /// The response to a call that has succeeded.
    ///
    /// - Parameter encoding: what `body` is compressed by; nil: nothing.
    init(_ codec: ConnectCodec, _ body: [UInt8], encoding: String?) {
        self.body = body
        headers = HTTP2Headers([":status": "200", "content-type": codec.contentType])
        if let encoding { headers.add("content-encoding", encoding) }
        headers.add("content-length", "\(body.count)")
    }

    /// The response to a call that has failed.
    ///
    /// - Parameter status: overrides the status of HTTP that belongs to the code.
    init(_ failure: WireFailure, _ details: [RPCErrorDetail] = [], httpStatus: Int? = nil) {
        body = ConnectError.body(failure, details)
        let status = httpStatus ?? ConnectCode(failure.code).httpStatus
        headers = HTTP2Headers([
            ":status": "\(status)", "content-type": ConnectCodec.json.contentType,
            "content-length": "\(body.count)",
        ])
        // Connect has fewer codes.
        if RPCErrorCode(grpcStatus: failure.code.grpcStatus) != failure.code {
            headers.add(ExactCode.name, "\(failure.code.rawValue)")
        }
    }

    /// The response to a request that is none of Connect: a status, and fields that say what would be
    /// taken.
    init(httpStatus: Int, _ fields: KeyValuePairs<String, String>) {
        body = []
        headers = HTTP2Headers([":status": "\(httpStatus)"])
        for (name, value) in fields { headers.add(name, value) }
    }

    /// The response to a request of Connect's streams: those have status 200 also where they fail.
    static func streamRefused(_ codec: ConnectCodec) -> ConnectResponse {
        var response = ConnectResponse(
            codec, ConnectError.endOfStream(ConnectCall.streamsRefused), encoding: nil)
        response.headers = HTTP2Headers([
            ":status": "200", "content-type": codec.streamContentType,
            "content-length": "\(response.body.count)",
        ])
        return response
    }

    /// Adds metadata: `leading` by its names, `trailing` behind `trailer-`.
    mutating func add(leading: Metadata, trailing: Metadata) {
        for (name, value) in MetadataHeaders.fields(leading) where !Self.isReserved(name) {
            headers.add(name, value)
        }
        for (name, value) in MetadataHeaders.fields(trailing) where !Self.isReserved(name) {
            headers.add("trailer-" + name, value)
        }
    }

    /// Whether a name is HTTP's or Connect's own.
    private static func isReserved(_ name: String) -> Bool {
        name.hasPrefix("connect-") || name == "content-encoding" || name == "accept-encoding"
    }
}

extension ConnectCall {
    /// The answer to calls of methods with streams, and to Connect's streams.
    static let streamsRefused = WireFailure(
        .unimplemented, "methods with streams are served by gRPC only, not by Connect")
}
