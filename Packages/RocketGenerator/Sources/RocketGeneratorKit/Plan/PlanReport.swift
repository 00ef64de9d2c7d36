/// Output of a run: what a plan changes.
struct PlanReport {
    let plan: ProjectPlan

    init(_ plan: ProjectPlan) { self.plan = plan }

    /// One line per file that is written or removed, then one per changed method.
    var summary: [String] {
        plan.steps.compactMap(line) + plan.changes
    }

    private func line(_ step: PlanStep) -> String? {
        switch step.action {
        case .create: "new      \(step.path)"
        case .renew: "renewed  \(step.path)"
        case .keepAndRenew(let kept): "renewed  \(step.path), your version is \(kept)"
        case .remove: "removed  \(step.path)"
        case .keepAndRemove(let kept): "removed  \(step.path), your version is \(kept)"
        case .leaveEqual, .leaveUserFile: nil
        }
    }

    /// All changes in the format of `diff -u`.
    var diff: String {
        plan.steps.filter(\.writes).map { step in
            let old = step.old == nil ? "/dev/null" : "a/\(step.path)"
            let new = step.removes ? "/dev/null" : "b/\(step.path)"
            let head = "--- \(old)\n+++ \(new)\n"
            return head + UnifiedDiff(step.old ?? "", step.text).text
        }.joined()
    }
}
