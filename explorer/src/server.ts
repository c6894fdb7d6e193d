// Questions to the server on loopback, in JSON; nothing else is ever contacted.

const page = Array.from(crypto.getRandomValues(new Uint32Array(3)), (n) => n.toString(36)).join("");

export type Complaints = Record<string, string>;

export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly complaints: Complaints,
  ) {
    super(Object.values(complaints).join("; "));
  }
}

async function post(kind: string, question: unknown, signal?: AbortSignal): Promise<Response> {
  const response = await fetch(`/api/${kind}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ page, question }),
    signal: signal ?? null,
  });
  if (!response.ok) {
    const body = (await response.json().catch(() => ({}))) as { error?: Complaints };
    throw new Refusal(response.status, body.error ?? { "": response.statusText });
  }
  return response;
}

export async function ask<Answer>(kind: string, question: unknown): Promise<Answer> {
  const response = await post(kind, question);
  const body = (await response.json()) as { answer: Answer; error?: Complaints };
  if (body.error !== undefined) throw new Refusal(422, body.error);
  return body.answer;
}

export interface Listener<Answer> {
  progress?: (done: number, total: number) => void;
  part?: (value: Answer) => void;
  compiling?: () => void;
}

// What takes long comes in lines: progress, parts, and the answer at the end.
export async function follow<Answer>(
  kind: string,
  question: unknown,
  signal: AbortSignal,
  listener: Listener<Answer>,
): Promise<Answer> {
  const response = await post(kind, question, signal);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Refusal(500, { "": "the answer broke off" });
    const lines = (rest + value).split("\n");
    rest = lines.pop() ?? "";
    for (const text of lines) {
      const line = JSON.parse(text) as { type: string; value: never };
      if (line.type === "progress") listener.progress?.(line.value[0], line.value[1]);
      else if (line.type === "part") listener.part?.(line.value);
      else if (line.type === "compiling") listener.compiling?.();
      else if (line.type === "compiled") continue;
      else if (line.type === "answer") return line.value;
      else if (line.type === "refused") throw new Refusal(422, line.value);
      else throw new Refusal(line.type === "stopped" ? 409 : 500, { "": line.value });
    }
  }
}

export async function presets<Answer>(): Promise<Answer> {
  const response = await fetch("/api/presets");
  return ((await response.json()) as { answer: Answer }).answer;
}

// Asks one question at a time and remembers the newest that came in meanwhile. The next one is on its
// way while the answer to the last is shown.
export function newest<Question, Answer>(
  work: (question: Question) => Promise<Answer>,
  show: (question: Question, answer: Answer) => void,
): (question: Question) => void {
  let busy = false;
  let next: { question: Question } | null = null;
  const run = (): void => {
    if (next === null) return;
    const { question } = next;
    next = null;
    busy = true;
    void work(question).then((answer) => {
      busy = false;
      run();
      show(question, answer);
    });
  };
  return (question) => {
    next = { question };
    if (!busy) run();
  };
}
