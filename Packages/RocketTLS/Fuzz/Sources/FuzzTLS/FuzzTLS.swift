import RocketTLSTestKit

/// Certificates are made once, in a folder that the script removes.
private let fuzz: TLSFuzz = {
    do { return try TLSFuzz(inFolder: "tls-certificates") } catch {
        preconditionFailure("\(error)")
    }
}()

/// Entry point that libFuzzer calls for each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer passes `count` readable bytes.
    let bytes = unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
    do { try fuzz.run(bytes) } catch { preconditionFailure("\(error)") }
    return 0
}
