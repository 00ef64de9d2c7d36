import RocketBase
import RocketCodec

/// Collects the header fields of a response or its trailers. Reused for all responses of a
/// connection: HTTP/2 sends the fields of one response without others in between.
struct ResponseHead: ~Copyable {
    private(set) var httpStatus: Int?
    /// The status of gRPC; nil: none was sent.
    private(set) var status: Int?
    private(set) var message = ""
    /// The value of grpc-status-details-bin.
    private(set) var details: String?
    /// The exact code, as servers of Rocket send it.
    private var exactCode: Int?
    private(set) var isGRPC = false
    private(set) var hasContentType = false
    /// nil: one that is not known.
    private(set) var encoding: MessageEncoding? = .identity
    private(set) var accepted = AcceptedEncodings()
    /// What the server reports of its load.
    private(set) var load: LoadLine?
    /// The fields that are metadata, as lines without the start of a block.
    private(set) var lines = ByteBuffer()
    private let encodings: MessageEncodings

    init(_ encodings: MessageEncodings) { self.encodings = encodings }

    /// Begins another response.
    mutating func begin() {
        httpStatus = nil
        status = nil
        message = ""
        exactCode = nil
        details = nil
        isGRPC = false
        hasContentType = false
        encoding = .identity
        accepted = AcceptedEncodings()
        load = nil
        lines.removeAll()
    }

    /// Takes a field.
    mutating func add(_ name: RawSpan, _ value: RawSpan) {
        if name.byteCount == 0 { return }
        switch name.byte(0) {
        case UInt8(ascii: ":"): if name.equals(":status") { httpStatus = value.decimal }
        case UInt8(ascii: "r") where name.equals(ExactCode.field): exactCode = value.decimal
        case UInt8(ascii: "g") where name.hasPrefix("grpc-"): addGRPC(name, value)
        case UInt8(ascii: "c") where name.equals("content-type"):
            hasContentType = true
            isGRPC = ContentType.isGRPC(value)
        case UInt8(ascii: "e") where name.equals(OrcaLoad.field): load = OrcaLoad.decode(value)
        default: MetadataHeaders.append(name, value, to: &lines)
        }
    }

    private mutating func addGRPC(_ name: RawSpan, _ value: RawSpan) {
        if name.equals("grpc-status") {
            // A number that is none is UNKNOWN.
            status = value.decimal ?? 2
        } else if name.equals("grpc-message") {
            message = StatusMessage.decode(value)
        } else if name.equals(StatusDetails.field) {
            details = value.text
        } else if name.equals("grpc-encoding") {
            encoding = encodings.find(value)
        } else if name.equals("grpc-accept-encoding") {
            accepted = encodings.accepted(value)
        } else {
            MetadataHeaders.append(name, value, to: &lines)
        }
    }

    /// The code of the call that ended with `status`: the exact one, if it was sent and fits.
    var code: RPCErrorCode {
        let status = status ?? 2
        if let exactCode, exactCode > 0 {
            let code = RPCErrorCode(rawValue: Int32(clamping: exactCode))
            if code.grpcStatus == status { return code }
        }
        return RPCErrorCode(grpcStatus: status)
    }

    /// The failure of a response whose first fields are those of no gRPC server; nil: it is one.
    var failure: WireFailure? {
        guard let httpStatus else { return WireFailure(.internal, "a response without :status") }
        if status != nil, isGRPC || !hasContentType { return nil }
        if httpStatus != 200 {
            return WireFailure(
                HTTPStatus.code(httpStatus), "the server answered with HTTP status \(httpStatus)")
        }
        if !isGRPC {
            return WireFailure(.unknown, "the response is not of the type application/grpc")
        }
        if encoding == nil {
            return WireFailure(.internal, "the response has a grpc-encoding that is not supported")
        }
        return nil
    }
}
