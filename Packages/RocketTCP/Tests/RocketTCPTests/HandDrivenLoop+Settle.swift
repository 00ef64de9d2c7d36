import RocketReactor
import RocketReactorTestKit

extension HandDrivenLoop {
    /// Runs ticks until three in a row are idle: what the end of one tick sends arrives in the next
    /// one, so a single idle tick proves nothing.
    func settle() {
        var idle = 0
        for _ in 0..<10_000 where idle < 3 { idle = tick().isIdle ? idle + 1 : 0 }
    }
}
