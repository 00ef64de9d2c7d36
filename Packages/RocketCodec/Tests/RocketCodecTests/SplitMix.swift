/// A random number generator with a seed; tests show the seed as an argument.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// Returns 0 to `limit` random bytes; short lengths are more likely than long ones.
    mutating func bytes(upTo limit: Int) -> [UInt8] {
        let most = Int.random(in: 0...limit, using: &self)
        let count = Int.random(in: 0...most, using: &self)
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }
    }

    /// Returns text of 0 to `limit` random scalars.
    mutating func text(upTo limit: Int) -> String {
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...limit, using: &self) {
            let most: UInt32 = [0x7F, 0x7FF, 0xFFFF, 0x10FFFF][Int.random(in: 0...3, using: &self)]
            if let scalar = Unicode.Scalar(UInt32.random(in: 0...most, using: &self)) {
                text.append(scalar)
            }
        }
        return String(text)
    }
}
