// React as far as the seed's hook can tell: state set by value or by function, effects after the render and anew
// when what they depend on has changed, cleanup at the end. `mount` renders a component until it is unmounted.

let current;
const cell = make => current.cells[current.at++] ??= make();
export function useState(initial) {
    const { render } = current;
    const own = cell(() => {
        const made = { value: initial };
        made.set = next => {
            const value = typeof next === "function" ? next(made.value) : next;
            if (Object.is(value, made.value)) return;
            made.value = value;
            render();
        };
        return made;
    });
    return [own.value, own.set];
}
export const useRef = initial => cell(() => ({ current: initial }));
export function useEffect(effect, deps) {
    const own = cell(() => ({}));
    if (own.deps && own.deps.every((dep, at) => Object.is(dep, deps[at]))) return;
    own.deps = deps;
    current.due.push(() => { own.cleanup?.(); own.cleanup = effect(); });
}
export function mount(component) {
    const mounted = { cells: [], due: [], at: 0 };
    let asked = false, gone = false;
    const draw = () => {
        asked = false;
        if (gone) return;
        current = mounted;
        mounted.at = 0;
        component();
        for (const effect of mounted.due.splice(0)) effect();
    };
    mounted.render = () => { if (!asked) { asked = true; queueMicrotask(draw); } };
    draw();
    return () => { gone = true; for (const own of mounted.cells) own.cleanup?.(); };
}
