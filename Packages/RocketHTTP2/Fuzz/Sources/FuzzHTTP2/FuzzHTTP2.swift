import RocketHTTP2TestKit

/// Entry point that libFuzzer calls for each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer passes `count` readable bytes.
    let bytes = unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
    do { try HTTP2Fuzz.run(bytes) } catch { preconditionFailure("\(error)") }
    return 0
}
