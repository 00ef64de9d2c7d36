import RocketBase
import RocketCodec

extension FuzzTarget {
    static func decodeErrorStatus(_ bytes: [UInt8]) throws(FuzzFinding) {
        // SAFETY: the spans are of arrays that live and do not change to the end of this function.
        guard let status = unsafe ErrorStatus.read(bytes.span.bytes) else { return }
        try require(bytes.count <= ErrorStatus.limitBytes, "read \(bytes.count) bytes")
        var buffer = ByteBuffer()
        do {
            try status.write(to: &buffer, limitBytes: .max)
        } catch {
            throw FuzzFinding("without a limit: \(error)")
        }
        let written = buffer.copyBytes()
        // Values may be longer when they are written again: percent-encoding has several forms.
        if written.count > ErrorStatus.limitBytes { return }
        // SAFETY: as above.
        let again = unsafe ErrorStatus.read(written.span.bytes)
        try require(again == status, "\(status) decodes to \(again as Any)")
    }
}
