import RocketBase
import RocketCodec

/// Writes the body of an error: `{"code":…,"message":…,"details":[{"type":…,"value":…}]}`.
///
/// The optional key `debug` of details is left out: a server does not know the types of all details.
enum ConnectError {
    /// The body for a failure and what its reply says besides.
    static func body(_ failure: WireFailure, _ details: [RPCErrorDetail] = []) -> [UInt8] {
        var body: [UInt8] = []
        append(failure, details, to: &body)
        return body
    }

    /// The body of a response of Connect's streams that has no message: the flags of the end, the
    /// length, and the error.
    static func endOfStream(_ failure: WireFailure) -> [UInt8] {
        var error = Array(#"{"error":"#.utf8)
        append(failure, [], to: &error)
        error.append(UInt8(ascii: "}"))
        let length = UInt32(truncatingIfNeeded: error.count)
        let prefix: [UInt8] = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) }
        return [2] + prefix + error
    }

    private static func append(
        _ failure: WireFailure, _ details: [RPCErrorDetail], to body: inout [UInt8]
    ) {
        body += #"{"code":""#.utf8
        body += ConnectCode(failure.code).name.utf8
        body.append(UInt8(ascii: "\""))
        if !failure.text.isEmpty {
            body += #","message":"#.utf8
            append(string: failure.text, to: &body)
        }
        if !details.isEmpty {
            body += #","details":["#.utf8
            for (index, detail) in details.enumerated() {
                if index > 0 { body.append(UInt8(ascii: ",")) }
                body += #"{"type":"#.utf8
                append(string: String(detail.messageName), to: &body)
                body += #","value":""#.utf8
                body += base64(detail.value).utf8
                body += #""}"#.utf8
            }
            body.append(UInt8(ascii: "]"))
        }
        body.append(UInt8(ascii: "}"))
    }

    /// Base64 without padding, as Connect prescribes.
    private static func base64(_ bytes: [UInt8]) -> String {
        var metadata = Metadata()
        metadata[bytes: "value-bin"] = bytes
        return metadata["value-bin"] ?? ""
    }

    private static func append(string: String, to body: inout [UInt8]) {
        body.append(UInt8(ascii: "\""))
        for byte in string.utf8 {
            switch byte {
            case UInt8(ascii: "\""): body += #"\""#.utf8
            case UInt8(ascii: "\\"): body += #"\\"#.utf8
            case UInt8(ascii: "\n"): body += #"\n"#.utf8
            case UInt8(ascii: "\r"): body += #"\r"#.utf8
            case UInt8(ascii: "\t"): body += #"\t"#.utf8
            case 0..<0x20:
                body += #"\u00"#.utf8
                body += [hexDigit(byte >> 4), hexDigit(byte & 15)]
            default: body.append(byte)
            }
        }
        body.append(UInt8(ascii: "\""))
    }
}
