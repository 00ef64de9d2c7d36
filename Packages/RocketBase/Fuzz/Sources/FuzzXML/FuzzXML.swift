import RocketBase

/// libFuzzer's entry: any bytes as a configuration file. A crash, a hang (-timeout) and unbounded
/// memory (-rss_limit_mb, -malloc_limit_mb) are what it looks for.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer passes `count` readable bytes.
    let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    do {
        let config = try RocketConfig(xml: bytes, file: "conf/fuzz.xml")
        precondition(config.diff(from: config).isEmpty, "a configuration equals itself")
        precondition(!config.report.isEmpty, "there is always something to report")
    } catch {
        precondition(!error.description.isEmpty, "an error says what is wrong")
    }
    return 0
}
