import RocketCodecFuzzing

/// Entry point that libFuzzer calls for each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer passes `count` readable bytes.
    unsafe FuzzTarget.errorStatus.run(start, count)
    return 0
}
